// Runs the scripts as npm runs them, against a small program in the place of the orchestrator that notes how it was called.
"use strict";

const assert = require("node:assert/strict");
const { spawn, spawnSync } = require("node:child_process");
const {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} = require("node:fs");
const { tmpdir } = require("node:os");
const path = require("node:path");
const { after, test } = require("node:test");
const { commandFor, findRepositoryRoot } = require("./orchestrator.js");

const posixOnly = { skip: process.platform === "win32" && "the stand-in is a shell script" };

/** A repository with these scripts and an orchestrator that runs `body`; its calls are noted in a file. */
function repository(body = "") {
  const root = realpathSync(mkdtempSync(path.join(tmpdir(), "ablage für skripte ")));
  after(() => rmSync(root, { recursive: true, force: true }));
  writeFileSync(path.join(root, "release.toml"), "schema = 1\n");
  const scripts = path.join(root, "ext", "scripts");
  mkdirSync(scripts, { recursive: true });
  cpSync(__dirname, scripts, { recursive: true });
  const bin = path.join(root, "bin");
  mkdirSync(bin);
  for (const name of ["cargo", "running-xtask"]) {
    const program = `#!/bin/sh\nprintf '%s|' "$(basename "$0")" "$PWD" "$@" >> "${root}/calls"\necho >> "${root}/calls"\n${body}\n`;
    writeFileSync(path.join(bin, name), program);
    chmodSync(path.join(bin, name), 0o755);
  }
  const calls = () => {
    const file = path.join(root, "calls");
    return existsSync(file)
      ? readFileSync(file, "utf8")
          .trim()
          .split("\n")
          .map((line) => line.split("|").slice(0, -1))
      : [];
  };
  const env = { PATH: `${bin}:${process.env.PATH}`, HOME: process.env.HOME };
  const run = (script, more = {}) =>
    spawnSync(process.execPath, [path.join(scripts, script)], {
      cwd: tmpdir(),
      env: { ...env, ...more },
      encoding: "utf8",
    });
  return { root, bin, env, calls, run, script: (name) => path.join(scripts, name) };
}

test("bundling builds and bundles from the repository root", posixOnly, () => {
  const { root, calls, run } = repository();
  assert.equal(run("build-python-wheel.js").status, 0);
  assert.deepEqual(calls(), [
    ["cargo", root, "xtask", "build"],
    ["cargo", root, "xtask", "bundle"],
  ]);
});

test("a running orchestrator is called itself, without cargo", posixOnly, () => {
  const { root, bin, calls, run } = repository();
  assert.equal(run("build-python-wheel.js", { XTASK_EXE: path.join(bin, "running-xtask") }).status, 0);
  assert.deepEqual(calls(), [
    ["running-xtask", root, "build"],
    ["running-xtask", root, "bundle"],
  ]);
});

test("inside the orchestrator's staging nothing is built, but the gate runs", posixOnly, () => {
  const { root, bin, calls, run } = repository();
  const staged = { XTASK_EXE: path.join(bin, "running-xtask"), XTASK_STAGE: "1" };
  const bundling = run("build-python-wheel.js", staged);
  assert.equal(bundling.status, 0);
  assert.match(bundling.stdout, /^bundle-python: the orchestrator has already placed the bundle[^\n]*\n$/);
  assert.deepEqual(calls(), []);
  assert.equal(run("check-package.js", staged).status, 0);
  assert.deepEqual(calls(), [["running-xtask", root, "check", path.join(root, "ext")]]);
});

test("a failing verb stops the rest and passes its exit code on", posixOnly, () => {
  const { calls, run } = repository('test "$2" = build && exit 6');
  assert.equal(run("build-python-wheel.js").status, 6);
  assert.equal(calls().length, 1);
});

test("the gate's refusal is the script's exit code", posixOnly, () => {
  assert.equal(repository("exit 6").run("check-package.js").status, 6);
});

test("a signal reaches the verb, and its end by that signal is ours too", posixOnly, async () => {
  const { env, script } = repository("echo started; exec sleep 600");
  const child = spawn(process.execPath, [script("check-package.js")], { env, stdio: ["ignore", "pipe", "inherit"] });
  child.stdout.once("data", () => child.kill("SIGTERM"));
  const [code, signal] = await new Promise((resolve) => child.on("exit", (...ending) => resolve(ending)));
  assert.deepEqual([code, signal], [null, "SIGTERM"]);
});

test("a missing cargo and a wrong XTASK_EXE are named with the remedy", posixOnly, () => {
  const { root, run } = repository();
  const missing = run("build-python-wheel.js", { PATH: path.join(root, "nothing") });
  assert.equal(missing.status, 5);
  assert.match(missing.stderr, /cargo was not found on PATH.*\n.*Install Rust 1\.90 or newer with rustup/);
  const wrong = run("build-python-wheel.js", { XTASK_EXE: path.join(root, "absent") });
  assert.equal(wrong.status, 5);
  assert.match(wrong.stderr, /XTASK_EXE names .*absent, which does not exist/);
});

test("outside a repository the missing file is named", posixOnly, () => {
  const { root, run } = repository();
  rmSync(path.join(root, "release.toml"));
  const outcome = run("build-python-wheel.js");
  assert.equal(outcome.status, 2);
  assert.match(outcome.stderr, /no release\.toml in .*ext or any folder above it/);
});

test("copying source is retired: it says why and what to run, and fails", () => {
  const { run, calls } = repository();
  const outcome = run("copy-python-server.js");
  assert.equal(outcome.status, 1);
  assert.equal(outcome.stdout, "");
  assert.match(outcome.stderr, /retired[^]*npm run bundle-python[^]*cargo xtask release/);
  assert.deepEqual(calls(), []);
});

test("the root is the nearest folder with release.toml", () => {
  const present = new Set([path.resolve("/a/release.toml"), path.resolve("/a/b/c/release.toml")]);
  const exists = (file) => present.has(file);
  assert.equal(findRepositoryRoot("/a/b/c/d", exists), path.resolve("/a/b/c"));
  assert.equal(findRepositoryRoot("/a/b", exists), path.resolve("/a"));
  assert.equal(findRepositoryRoot("/x", exists), undefined);
});

test("an empty XTASK_EXE counts as not set", () => {
  assert.deepEqual(commandFor(["build"], { XTASK_EXE: "" }), { command: "cargo", args: ["xtask", "build"] });
});
