//! Which loader a program needs (Tool Interface Standard, "Executable and Linking Format", program
//! headers). Pure.

const INTERPRETER: u32 = 3;

/// The path of the loader of a 64-bit little-endian program; none when it needs none, or is of
/// another kind.
pub fn loader(program: &[u8]) -> Option<String> {
    if !program.starts_with(b"\x7fELF\x02\x01") {
        return None;
    }
    let start = number(program, 32, 8)?;
    let size = number(program, 54, 2)?;
    let count = number(program, 56, 2)?;
    (0..count)
        .filter_map(|index| start.checked_add(index.checked_mul(size)?))
        .find(|header| number(program, *header, 4) == Some(INTERPRETER as usize))
        .and_then(|header| {
            let offset = number(program, header.checked_add(8)?, 8)?;
            let length = number(program, header.checked_add(32)?, 8)?;
            let text = program.get(offset..offset.checked_add(length)?)?;
            let text = std::str::from_utf8(text).ok()?;
            Some(text.trim_end_matches('\0').to_owned())
        })
}

fn number(bytes: &[u8], at: usize, width: usize) -> Option<usize> {
    let bytes = bytes.get(at..at.checked_add(width)?)?;
    let value = bytes
        .iter()
        .rev()
        .fold(0_u64, |value, byte| (value << 8) | u64::from(*byte));
    usize::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::loader;

    #[test]
    fn what_is_no_program_has_no_loader() {
        assert_eq!(loader(b""), None);
        assert_eq!(loader(b"#!/bin/sh"), None);
        assert_eq!(loader(b"\x7fELF\x02\x01"), None);
        assert_eq!(
            loader(&[b"\x7fELF\x02\x01".as_slice(), &[0xff; 80]].concat()),
            None
        );
    }

    #[test]
    fn the_loader_is_found() {
        let mut program = vec![0_u8; 64 + 56];
        program[..6].copy_from_slice(b"\x7fELF\x02\x01");
        program[32] = 64;
        program[54] = 56;
        program[56] = 1;
        program[64] = 3;
        program[64 + 8] = 120;
        program[64 + 32] = 8;
        program.extend_from_slice(b"/lib/ld\0");
        assert_eq!(loader(&program).as_deref(), Some("/lib/ld"));
    }
}
