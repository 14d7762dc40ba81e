//! Publishing a release that is there already, and publishing while something goes wrong, beside
//! the plain clients doing the same.
//!
//! Run it with `cargo bench --profile tool --bench publish`. `XTASK_BENCH_TOOL` names another
//! program to measure. Everything is on loopback: the registries are the stand-ins of the tests,
//! which keep documented rules. twine and uv come from the tool's own private environment; ovsx is
//! installed by npm into `target/bench/ovsx`, and left out when that fails. Wrong outcomes are
//! counted and printed, never asserted.

#![expect(
    clippy::unwrap_used,
    reason = "a benchmark that cannot go on has failed"
)]

#[path = "publish/again.rs"]
mod again;
#[path = "publish/client.rs"]
mod client;
#[path = "publish/everything.rs"]
mod everything;
#[path = "publish/fault.rs"]
mod fault;
#[path = "publish/job.rs"]
mod job;
#[path = "publish/outcome.rs"]
mod outcome;
#[path = "publish/stand.rs"]
mod stand;

mod measure;

#[allow(
    dead_code,
    unused_imports,
    reason = "it is shared with the tests, which need more of it"
)]
#[path = "../tests/it"]
mod it {
    pub mod advisories;
    pub mod registries;
    pub mod repository;
    pub mod publish {
        pub mod marketplace;
        pub mod mcp;
        pub mod places;
        pub mod real;
        pub mod sample;
        pub mod verify;
    }
}

use client::Tools;
use it::{registries, repository};
use job::{GALLERY, INDEX};

fn main() {
    measure::heading("publish", client::tool().as_std_path());
    let tools = Tools::find();
    for line in tools.versions() {
        measure::line(&format!("  client    {line}"));
    }
    for family in [&INDEX, &GALLERY] {
        again::first(family, &tools);
        again::second(family, &tools);
    }
    everything::second(&tools);
    client::refusal(&tools);
    for family in [&INDEX, &GALLERY] {
        fault::table(family, &tools);
    }
}
