// Runs a verb of the orchestrator (`cargo xtask <verb>`) from the repository root.
//
// The extension's npm scripts own no build logic: they call the same verbs that `cargo xtask release` runs, so packaging
// by hand and packaging by release cannot drift apart. This file only finds the root and hands over the terminal,
// the exit code and the signals.
"use strict";

const { spawn } = require("node:child_process");
const { existsSync } = require("node:fs");
const path = require("node:path");

/** The folder of the extension, whatever folder npm was called from. */
const extensionFolder = path.resolve(__dirname, "..");

/** Signals that must reach the running verb, so that it can put things back before it ends. */
const forwardedSignals = ["SIGINT", "SIGTERM", "SIGHUP"];

/**
 * Finds the repository root: the nearest folder, from `start` upwards, that holds `release.toml`.
 * @param {string} start
 * @param {(file: string) => boolean} exists
 * @returns {string | undefined}
 */
function findRepositoryRoot(start, exists = existsSync) {
  for (let folder = path.resolve(start); ; folder = path.dirname(folder)) {
    if (exists(path.join(folder, "release.toml"))) return folder;
    if (path.dirname(folder) === folder) return undefined;
  }
}

/**
 * The command line of one verb. `XTASK_EXE` is set by an orchestrator that is already running; its own binary is used
 * then, so that no second build of it starts inside the first.
 * @param {string[]} verb the verb and its arguments
 * @param {NodeJS.ProcessEnv} environment
 * @returns {{ command: string, args: string[] }}
 */
function commandFor(verb, environment) {
  const running = environment.XTASK_EXE;
  return running ? { command: running, args: verb } : { command: "cargo", args: ["xtask", ...verb] };
}

/**
 * What to tell a person whose command could not be started at all.
 * @param {string} command
 * @param {NodeJS.ErrnoException} error
 */
function explainStartFailure(command, error) {
  if (error.code !== "ENOENT") return `could not start ${command}: ${error.message}`;
  if (command === "cargo") {
    return [
      "cargo was not found on PATH. The orchestrator that builds and checks the bundle is written in Rust.",
      "Install Rust 1.90 or newer with rustup (https://rustup.rs), open a new terminal and run the command again.",
    ].join("\n");
  }
  return `XTASK_EXE names ${command}, which does not exist. Unset XTASK_EXE to use \`cargo xtask\`.`;
}

/**
 * Runs one verb and resolves with its exit code; a verb ended by a signal ends this process by the same signal.
 * @param {string[]} verb
 * @returns {Promise<number>}
 */
function runVerb(verb) {
  const root = findRepositoryRoot(extensionFolder);
  if (root === undefined) {
    console.error(
      `no release.toml in ${extensionFolder} or any folder above it.\n` +
        "The bundle is built by the repository this extension belongs to; run this script inside a clone of it.",
    );
    return Promise.resolve(2);
  }
  const { command, args } = commandFor(verb, process.env);
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, stdio: "inherit" });
    const forward = (signal) => child.kill(signal);
    for (const signal of forwardedSignals) process.on(signal, forward);
    const settle = (code) => {
      for (const signal of forwardedSignals) process.off(signal, forward);
      resolve(code);
    };
    child.on("error", (error) => {
      console.error(explainStartFailure(command, error));
      settle(5);
    });
    child.on("exit", (code, signal) => {
      settle(code ?? 1);
      if (signal) process.kill(process.pid, signal);
    });
  });
}

/**
 * Runs verbs one after another and stops at the first that fails, with its exit code.
 * @param {string[][]} verbs
 */
async function runVerbs(verbs) {
  for (const verb of verbs) {
    const code = await runVerb(verb);
    if (code !== 0) {
      process.exitCode = code;
      return;
    }
  }
}

module.exports = { commandFor, explainStartFailure, extensionFolder, findRepositoryRoot, runVerbs };
