//! See `cargo` in `docs/fuzzing.md`; the body is in `src/`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| xtask_fuzz::run("cargo", bytes));
