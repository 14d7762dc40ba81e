//! An unchanged `release` against the first one.
//!
//! Run it with `cargo bench --profile tool --bench release`. It works on a copy of this workspace
//! in a temporary folder, and always measures the profile of the alias, whatever profile it was
//! itself built with.
//!
//! - *very first*: no private environments yet; pip's and npm's caches as the machine has them.
//! - *first*: neither `dist/` nor the bundle folder, but the private environments (build front
//!   end, Node.js, `node_modules`). Everything is built, proved and packaged.
//! - *unchanged*: once more, with nothing to do, through `cargo xtask` and without cargo.

#![expect(
    clippy::unwrap_used,
    reason = "a benchmark that cannot go on has failed"
)]

mod copy;
mod measure;

use copy::ALIAS;
use measure::Series;

const UNCHANGED_RUNS: usize = 11;
const FIRST_RUNS: usize = 3;

fn main() {
    let repository = copy::of_workspace();
    let tool = copy::tool(&repository);
    measure::heading("release", tool.as_std_path());

    let mut very_first = Series::default();
    very_first.run(&mut copy::command(&repository, &ALIAS));
    measure::times("very first, tools not installed", &very_first);

    let mut first = Series::default();
    for _ in 0..FIRST_RUNS {
        copy::forget(&repository);
        first.run(&mut copy::command(&repository, &ALIAS));
    }
    measure::times("first, tools installed", &first);

    let said = copy::succeeds(&repository, &ALIAS);
    assert!(said.starts_with("= release"), "it does something: {said}");
    let (mut alias, mut bare) = (Series::default(), Series::default());
    for _ in 0..UNCHANGED_RUNS {
        alias.run(&mut copy::command(&repository, &ALIAS));
        bare.run(&mut copy::command(&repository, &[tool.as_str(), "release"]));
    }
    measure::times("unchanged, cargo xtask release", &alias);
    measure::times("unchanged, without cargo", &bare);
    let unchanged = measure::seconds(alias.wall());
    measure::goal("unchanged", &unchanged, "under 300 ms");
    let times = format!("{:.0} times", first.wall() / alias.wall());
    measure::goal("first / unchanged", &times, "at least 50 times");
}
