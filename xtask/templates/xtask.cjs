// Lets the release tool (`cargo xtask`) fill this extension's bundle folder and hold the folder against its gate, so
// that packaging by hand and packaging by release are the same. Usage: node scripts/xtask.cjs bundle|check
"use strict";

const { spawnSync } = require("node:child_process");
const { existsSync } = require("node:fs");
const path = require("node:path");

const extension = path.resolve(__dirname, "..");

/** The nearest folder upwards that holds release.toml. */
function root() {
  for (let folder = extension; ; folder = path.dirname(folder)) {
    if (existsSync(path.join(folder, "release.toml"))) return folder;
    if (path.dirname(folder) === folder) {
      console.error(`no release.toml in ${extension} or any folder above it: run this inside a clone of the repository`);
      process.exit(2);
    }
  }
}

/** Runs one verb; a running tool names itself in XTASK_EXE, so that no second one starts inside of it. */
function run(verb) {
  const running = process.env.XTASK_EXE;
  const [program, words] = running ? [running, verb] : ["cargo", ["xtask", ...verb]];
  const { status, error } = spawnSync(program, words, { cwd: root(), stdio: "inherit" });
  if (error) {
    console.error(`could not start ${program}: ${error.message}`);
    console.error("install the tool: cargo install --locked --git https://github.com/mcp-shipyard/mcp-shipyard --tag v@@tool@@ xtask");
    process.exit(5);
  }
  if (status !== 0) process.exit(status ?? 1);
}

switch (process.argv[2]) {
  case "bundle":
    // Inside of `cargo xtask package` the bundle lies in this staged copy already.
    if (process.env.XTASK_STAGE) break;
    run(["build"]);
    run(["bundle"]);
    break;
  case "check":
    run(["check", extension]);
    break;
  default:
    console.error("usage: node scripts/xtask.cjs bundle|check");
    process.exit(2);
}
