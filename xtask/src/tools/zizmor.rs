//! zizmor: what is unsafe in workflows, in a private environment.

use super::python::{self, Environment};
use super::twine;
use crate::error::{Error, Result};
use crate::workflow::outside;
use crate::workflow::rule::Finding;
use crate::world::World;

/// The pinned zizmor, with hashes for every platform.
pub const REQUIREMENTS: &str = include_str!("../../tools/workflows.txt");

/// zizmor's exit codes above 10 say how severe the worst finding is.
const FOUND: std::ops::RangeInclusive<i32> = 10..=14;

/// Asks zizmor about these files, without the network. Files that it cannot read are left to
/// the other tools: it says so only in words.
///
/// # Errors
/// It cannot be installed (exit code 5), or ends otherwise than it should.
pub fn ask(world: &World, paths: &[String]) -> Result<Vec<Finding>> {
    let environment = environment(world)?;
    let output = world
        .command(twine::program(&environment, "zizmor"))
        .args([
            "--offline",
            "--no-progress",
            "--quiet",
            "--format",
            "json-v1",
            "--",
        ])
        .args(paths)
        .inherit_only(&["PATH", "HOME", "SYSTEMROOT"])
        .purpose("zizmor")
        .output()?;
    let code = output.status.code().unwrap_or(1);
    if code != 0 && !FOUND.contains(&code) {
        let said = output.stderr.trim().lines().next_back().unwrap_or_default();
        return Err(Error::failure(format!("zizmor ended with {code}: {said}")));
    }
    outside::zizmor(&output.stdout)
}

fn environment(world: &World) -> Result<Environment> {
    match python::existing(world, "workflows", REQUIREMENTS) {
        Some(environment) => Ok(environment),
        None => python::create(world, "workflows", REQUIREMENTS),
    }
}
