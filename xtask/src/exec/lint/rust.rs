//! rustfmt and clippy.

use super::{Mode, leave_out, profile, settle};
use crate::error::{Error, Result};
use crate::lint::{Report, Tool, clippy, rustfmt};
use crate::world::World;

pub fn lint(world: &World, mode: Mode, report: &mut Report) -> Result<()> {
    if !world.root.join("Cargo.toml").exists() {
        for tool in [Tool::Rustfmt, Tool::Clippy] {
            leave_out(world, report, tool, "no Cargo.toml at the root");
        }
        return Ok(());
    }
    require(world, "fmt", "rustfmt")?;
    require(world, "clippy", "clippy")?;
    if mode == Mode::Mend {
        let step = world.terminal.step("clippy", "cargo clippy --fix");
        let mended = clippy_call(
            world,
            &["--fix", "--allow-dirty", "--allow-staged", "--allow-no-vcs"],
        )?;
        // What it cannot mend is found again below.
        drop(mended.args(["--", "--cap-lints", "warn"]).output()?);
        drop(step);
        drop(world.command("cargo").args(["fmt", "--all"]).output()?);
    }
    let output = world
        .command("cargo")
        .args(["fmt", "--all", "--check"])
        .output()?;
    let found = rustfmt::read(&output.stdout, &world.root);
    settle(world, report, Tool::Rustfmt, &output, found)?;
    let step = world
        .terminal
        .step("clippy", "cargo clippy --workspace --all-targets");
    let call = clippy_call(world, &["--message-format=json"])?;
    let output = call.args(["--", "--deny", "warnings"]).output()?;
    drop(step);
    let found = clippy::read(&output.stdout, &world.root);
    settle(world, report, Tool::Clippy, &output, found)
}

fn clippy_call<'world>(
    world: &'world World,
    more: &[&str],
) -> Result<crate::world::process::Command<'world>> {
    let call = world
        .command("cargo")
        .args(["clippy", "--workspace", "--all-targets", "--locked"]);
    Ok(call.args(profile(world)?).args(more))
}

fn require(world: &World, command: &str, component: &str) -> Result<()> {
    let found = world
        .command("cargo")
        .args([command, "--version"])
        .output()?;
    if found.status.success() {
        return Ok(());
    }
    Err(Error::precondition(format!("{component} is not installed"))
        .hint(format!("install it: rustup component add {component}")))
}
