//! `requirements` against Poetry itself, and against recorded answers of it.
//!
//! With `XTASK_TEST_POETRY=1` the pinned Poetry and its export plug-in are installed into a
//! virtual environment below the target folder, from a requirements file with hashes, and
//! asked the same questions. Without it those tests say so and only the recorded answers count.

#![expect(
    clippy::disallowed_macros,
    clippy::unwrap_used,
    reason = "tests print what they skip, and a panic is their way to fail"
)]

mod algebra;
mod other_locks;
mod poetry;
mod same;
mod uv_export;
mod verb;
