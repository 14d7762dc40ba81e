//! The ways in which the echo server misbehaves when it is told to, and the signal that ends it.

use std::str::FromStr;

use tokio::signal::unix::{SignalKind, signal};

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It ends at once with this code.
    Exit(u8),
    /// It runs and never listens.
    Hang,
    /// It listens, and `/ready` never answers 200.
    Unready,
    /// It listens, and `/health` never answers 200.
    Sick,
    /// It listens only after so many milliseconds.
    Slow(u64),
    /// It does not listen to SIGTERM.
    Deaf,
    /// It holds so many mebibytes.
    Memory(usize),
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Fault, String> {
        let wrong = || {
            format!(
                "{text:?} is none of exit:CODE, hang, unready, sick, slow:MILLISECONDS, deaf, memory:MEBIBYTES"
            )
        };
        let (word, number) = text.split_once(':').unwrap_or((text, ""));
        match word {
            "exit" => number.parse().map(Fault::Exit).map_err(|_| wrong()),
            "slow" => number.parse().map(Fault::Slow).map_err(|_| wrong()),
            "memory" => number.parse().map(Fault::Memory).map_err(|_| wrong()),
            "hang" => Ok(Fault::Hang),
            "unready" => Ok(Fault::Unready),
            "sick" => Ok(Fault::Sick),
            "deaf" => Ok(Fault::Deaf),
            _ => Err(wrong()),
        }
    }
}

/// Returns at SIGTERM or SIGINT; never for one that is deaf.
pub async fn ended(fault: Option<Fault>) {
    let (Ok(mut terminate), Ok(mut interrupt)) = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    ) else {
        // Without handlers the signals end the process by themselves.
        return std::future::pending().await;
    };
    loop {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        if fault != Some(Fault::Deaf) {
            return;
        }
    }
}
