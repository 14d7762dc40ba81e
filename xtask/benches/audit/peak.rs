//! The most memory a program holds.

use std::process::{Command, Stdio};

/// Asked often enough: the peak comes long before the end, and only grows.
const RUNS: usize = 5;

/// The largest resident size of several runs in units of 1,024 bytes; `None` without `/proc`.
///
/// What the operating system counts (`VmHWM`) is read again and again until the program ends.
pub fn of(command: &mut dyn FnMut() -> Command) -> Option<u32> {
    (0..RUNS).filter_map(|_| once(&mut command())).max()
}

fn once(command: &mut Command) -> Option<u32> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = None;
    while child.try_wait().unwrap().is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let now = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
        peak = peak.max(now);
    }
    peak
}
