//! `requirements` against Poetry itself, and against recorded answers of it.
//!
//! With `XTASK_TEST_POETRY=1` the pinned Poetry and its export plug-in are installed into a
//! virtual environment below the target folder, from a requirements file with hashes, and
//! asked the same questions. Without it those tests say so and only the recorded answers count.

mod algebra;
mod poetry;
