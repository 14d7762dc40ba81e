//! Whether a program can be started on any base of its platform.
//!
//! Source: Tool Interface Standard, "Executable and Linking Format", ELF header and program headers;
//! the numbers of machines are those of the processors' supplements.

use super::Platform;
use crate::error::{Error, Result};

/// The type of the program header that names a loader.
const INTERPRETER: usize = 3;

/// Requires a program for this platform that needs no loader, and so no C library of the base.
/// `place` names it in errors.
///
/// # Errors
/// It is none, is for another machine, or is linked dynamically.
pub fn require_static(bytes: &[u8], platform: Platform, place: &str) -> Result<()> {
    let machine = match platform {
        Platform::Amd64 => 0x3e,
        Platform::Arm64 => 0xb7,
    };
    if !bytes.starts_with(b"\x7fELF\x02\x01") {
        return Err(Error::refused(format!(
            "{place} is no program for 64-bit Linux"
        )));
    }
    let found = number(bytes, 18, 2);
    if found != Some(machine) {
        let (word, found) = (platform.word(), found.unwrap_or_default());
        return Err(Error::refused(format!(
            "{place} is for the machine {found:#x}, not for {word}"
        )));
    }
    if headers(bytes).any(|kind| kind == INTERPRETER) {
        return Err(Error::refused(format!(
            "{place} is linked dynamically, and would need the C library it was built with"
        ))
        .hint("a flag of this machine wins over the tool's: look into the config.toml of Cargo"));
    }
    Ok(())
}

/// The types of all program headers.
fn headers(bytes: &[u8]) -> impl Iterator<Item = usize> + '_ {
    let at = |place, width| number(bytes, place, width).unwrap_or_default();
    let (start, size, count) = (at(32, 8), at(54, 2), at(56, 2));
    (0..count).filter_map(move |index| {
        let header = start.checked_add(index.checked_mul(size)?)?;
        number(bytes, header, 4)
    })
}

fn number(bytes: &[u8], at: usize, width: usize) -> Option<usize> {
    let bytes = bytes.get(at..at.checked_add(width)?)?;
    let value = bytes.iter().rev();
    let value = value.fold(0_u64, |value, byte| (value << 8) | u64::from(*byte));
    usize::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(machine: u8, header: u8) -> Vec<u8> {
        let mut program = vec![0; 64 + 56];
        program[..6].copy_from_slice(b"\x7fELF\x02\x01");
        program[18] = machine;
        program[32] = 64;
        program[54] = 56;
        program[56] = 1;
        program[64] = header;
        program
    }

    #[test]
    fn what_would_not_start_everywhere_is_refused() {
        let check = |bytes: &[u8], platform, expected: &str| {
            let found = require_static(bytes, platform, "demo");
            let found = found.err().map_or(String::new(), |error| error.message);
            assert!(found.contains(expected), "{expected}: {found}");
            assert_eq!(found.is_empty(), expected.is_empty(), "{found}");
        };
        check(&program(0x3e, 1), Platform::Amd64, "");
        check(&program(0xb7, 1), Platform::Arm64, "");
        let other = "demo is for the machine 0x3e, not for linux/arm64";
        check(&program(0x3e, 1), Platform::Arm64, other);
        check(&program(0x3e, 3), Platform::Amd64, "linked dynamically");
        check(b"#!/bin/sh\n", Platform::Amd64, "is no program");
        check(b"\x7fELF\x02\x01", Platform::Amd64, "for the machine 0x0");
        let mut endless = program(0x3e, 1);
        endless[32..40].fill(0xff);
        check(&endless, Platform::Amd64, "");
    }
}
