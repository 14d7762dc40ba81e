//! A whole `release` against the same raw commands, run one after another by hand.
//!
//! Run it with `cargo bench --profile tool --bench raw`. The commands are in `raw/by-hand.sh`.
//! Both work on the same copy of this workspace, in turn, and both keep their tools (build front
//! end, Node.js, `node_modules`) from one round to the next; the first round of each, which
//! installs them from the machine's pip and npm caches, is shown by itself.

#![expect(
    clippy::unwrap_used,
    reason = "a benchmark that cannot go on has failed"
)]

mod copy;
mod measure;

use copy::ALIAS;
use measure::Series;

const ROUNDS: usize = 3;
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/raw/by-hand.sh");

fn main() {
    let repository = copy::of_workspace();
    measure::heading("raw", copy::tool(&repository).as_std_path());
    let tools = repository.root.join("target/by-hand");
    let requirements = repository.root.join("target/requirements.txt");
    let export = ["cargo", "xtask", "requirements", "--output"];
    copy::succeeds(
        &repository,
        &[&export[..], &[requirements.as_str()]].concat(),
    );
    let by_hand = ["sh", SCRIPT, tools.as_str(), requirements.as_str()];

    let (mut release, mut raw) = (Series::default(), Series::default());
    release.run(&mut copy::command(&repository, &ALIAS));
    raw.run(&mut copy::command(&repository, &by_hand));
    measure::times("release, tools not installed", &release);
    measure::times("by hand, tools not installed", &raw);
    report("release / by hand, tools not installed", &release, &raw);

    let (mut release, mut raw) = (Series::default(), Series::default());
    for _ in 0..ROUNDS {
        copy::forget(&repository);
        release.run(&mut copy::command(&repository, &ALIAS));
        raw.run(&mut copy::command(&repository, &by_hand));
    }
    measure::times("release, tools installed", &release);
    measure::times("by hand, tools installed", &raw);
    report("release / by hand, tools installed", &release, &raw);
}

fn report(what: &str, release: &Series, raw: &Series) {
    let ratio = format!("{:.2}", release.wall() / raw.wall());
    measure::goal(what, &ratio, "at most 1");
}
