//! `test host`: hands the released `.vsix` to the repository's own script that tries it in a real
//! editor. Which editors these are, and what they need, is the script's business.
//!
//! The script gets `XTASK_VSIX` (the file), `XTASK_TOOLS` (a JSON array of the names of the tools
//! that the proof saw) and `XTASK_CALL` (`[prove.call]` as JSON), and ends with an exit code of
//! [`crate::error::EXIT_CODES`].

use serde_json::json;

use crate::artifact::{Kind, Manifest};
use crate::config::{Config, Extension};
use crate::dist;
use crate::error::{self, Error, Result};
use crate::product::vsix;
use crate::world::World;

/// The variable that names the package.
const PACKAGE_VARIABLE: &str = "XTASK_VSIX";
/// The variable that lists the tools of the server.
const TOOLS_VARIABLE: &str = "XTASK_TOOLS";
/// The variable that says which tool is called, and with what.
const CALL_VARIABLE: &str = "XTASK_CALL";

/// Tries the `.vsix` in dist/, which must be the one that was made.
///
/// # Errors
/// There is no release, it was changed or not proved, the script lacks something, or a check of
/// it failed.
pub fn run(world: &World, config: &Config) -> Result<()> {
    let Some(extension) = tried(config) else {
        world
            .terminal
            .same("host", "release.toml has no extension.host-test");
        return Ok(());
    };
    let manifest = dist::required_manifest(world)?;
    let package = manifest.only(Kind::Vsix).map_err(released_first)?;
    dist::bytes(world, package)?;
    let tools = proved_tools(&manifest)?;
    let call = &config.prove.call;
    let call = json!({ "tool": call.tool, "arguments": call.arguments });
    let script = super::tools_for(world, extension, &extension.host_test)?;
    let status = vsix::npm(world, &script.node)
        .args(["run", "--silent", &script.script])
        .directory(&script.folder)
        .variable(vsix::PROGRAM_VARIABLE, world.program()?)
        .variable(PACKAGE_VARIABLE, world.dist().join(&package.path).as_str())
        .variable(TOOLS_VARIABLE, json!(tools).to_string())
        .variable(CALL_VARIABLE, call.to_string())
        .purpose("the test in a real editor")
        .show_status()?;
    judge(status.code(), &script.script)?;
    let detail = format!("npm run {} with {}", script.script, package.path);
    world.terminal.done("host", &detail);
    Ok(())
}

/// Says, where everything else was tested, that this was not.
pub fn mention(world: &World, config: &Config) {
    if tried(config).is_some() {
        let text = "left out: builds and starts real editors; run `cargo xtask test host`";
        world.terminal.same("host", text);
    }
}

fn tried(config: &Config) -> Option<&Extension> {
    let extension = config.extension.as_ref()?;
    (!extension.host_test.is_empty()).then_some(extension)
}

/// The tools by name, as the proof of this very release saw them.
fn proved_tools(manifest: &Manifest) -> Result<&[String]> {
    let proof = manifest.proof.as_ref();
    match proof.map(|proof| proof.tools.as_slice()) {
        Some(tools) if !tools.is_empty() => Ok(tools),
        _ => Err(released_first(Error::precondition(
            "the release in dist/ was not proved, so its tools are not known",
        ))),
    }
}

fn released_first(error: Error) -> Error {
    error.hint("make a release first: cargo xtask release")
}

/// The script ends with the exit codes of this tool.
fn judge(code: Option<i32>, script: &str) -> Result<()> {
    let kind = match code {
        Some(0) => return Ok(()),
        Some(2) => error::Kind::Usage,
        Some(5) => error::Kind::Precondition,
        Some(_) | None => error::Kind::Failure,
    };
    let said = match kind {
        error::Kind::Precondition => "lacks what it names above",
        error::Kind::Usage => "was asked for what it does not know",
        _ => "failed",
    };
    Err(Error::new(
        kind,
        format!("the test in a real editor (npm run {script}) {said}"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_of_the_script_are_ours() {
        let check = |code, expected: Option<error::Kind>| {
            let found = judge(code, "test:host").err().map(|error| error.kind);
            assert_eq!(found, expected, "{code:?}");
        };
        check(Some(0), None);
        check(Some(1), Some(error::Kind::Failure));
        check(Some(2), Some(error::Kind::Usage));
        check(Some(5), Some(error::Kind::Precondition));
        check(None, Some(error::Kind::Failure));
    }
}
