// One running editor in a folder of its own: code-server on a loopback port it picks, with the extensions it is given.
"use strict";

const { spawn, spawnSync } = require("node:child_process");
const { createWriteStream, mkdirSync, writeFileSync } = require("node:fs");
const path = require("node:path");
const { setTimeout: sleep } = require("node:timers/promises");
const processes = require("./processes.js");

/** What would otherwise ask for attention, update itself or talk to the outside. */
const settings = {
  "workbench.startupEditor": "none",
  "workbench.secondarySideBar.defaultVisibility": "hidden",
  "telemetry.telemetryLevel": "off",
  "extensions.autoUpdate": false,
  "extensions.autoCheckUpdates": false,
  "update.mode": "none",
};

/** Variables of the orchestrator and of npm, and of an editor this may be run in, are none of the editor's business. */
const foreign = /^(npm_|XTASK_|VSCODE_|NODE_OPTIONS$|ELECTRON_|PYTHONPATH$|PYTHONHOME$|VIRTUAL_ENV$)/i;

/** The folders of a run below its own. */
function layout(folder) {
  return {
    data: path.join(folder, "data"),
    extensions: path.join(folder, "extensions"),
    workspace: path.join(folder, "workspace"),
    configuration: path.join(folder, "config.yaml"),
    temporary: path.join(folder, "tmp"),
    report: path.join(folder, "report.json"),
    log: path.join(folder, "editor.log"),
  };
}

/**
 * Prepares the folder and returns how the editor is called in it.
 * @param {{ node: string, script: string }} host
 * @param {string} folder
 */
function prepare(host, folder) {
  const places = layout(folder);
  mkdirSync(path.join(places.data, "User"), { recursive: true });
  mkdirSync(places.workspace);
  mkdirSync(places.temporary, { mode: 0o700 });
  writeFileSync(path.join(places.data, "User", "settings.json"), JSON.stringify(settings));
  writeFileSync(places.configuration, "auth: none\ncert: false\n");
  const kept = Object.entries(process.env).filter(([name]) => !foreign.test(name));
  // What it leaves behind lies in the folder of the run and goes with it.
  const own = {
    XDG_DATA_HOME: path.join(folder, "share"),
    XDG_RUNTIME_DIR: places.temporary,
    TMPDIR: places.temporary,
    HOST_TEST_REPORT: places.report,
  };
  const env = { ...Object.fromEntries(kept), ...own };
  const args = [host.script, "--config", places.configuration, "--user-data-dir", places.data];
  return { ...places, folder, node: host.node, args: [...args, "--extensions-dir", places.extensions], env };
}

/** Installs extensions as a user would by "Install from VSIX", and returns what the editor then lists. */
function installExtensions(call, files) {
  const run = (...args) => {
    const result = spawnSync(call.node, [...call.args, ...args], { env: call.env, encoding: "utf8" });
    const said = `${result.stdout}${result.stderr}`;
    if (result.status === 0) return said;
    throw new Error(`the editor refused ${args.join(" ")} (${result.signal ?? result.status}):\n${said}`);
  };
  for (const file of files) run("--install-extension", file);
  return run("--list-extensions", "--show-versions");
}

/**
 * Starts the editor and waits until it says where it listens.
 * @returns {Promise<{ address: string, stop: () => Promise<void> }>}
 */
async function start(call, seconds = 90) {
  const flags = ["--bind-addr", "127.0.0.1:0", "--disable-telemetry", "--disable-update-check"];
  const child = spawn(call.node, [...call.args, ...flags, "--disable-workspace-trust"], {
    env: call.env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const log = createWriteStream(call.log);
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.pipe(log, { end: false });
    stream.on("data", (part) => (said += part));
  }
  const ended = new Promise((resolve) => child.once("close", resolve));
  const stop = () => end(child.pid, ended, call.folder);
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const address = /listening on (http:\/\/127\.0\.0\.1:\d+)\b/.exec(said)?.[1];
    if (address) return { address, stop };
    if (child.exitCode !== null || child.pid === undefined || Date.now() > deadline) {
      if (child.pid !== undefined) await stop();
      throw new Error(`the editor did not start within ${seconds} s:\n${said}`);
    }
    await sleep(100);
  }
}

/** Ends the editor, waits for what it started, and ends by force what stays after that. */
async function end(pid, ended, folder) {
  const ours = new Set([pid, ...processes.below(processes.list(), pid).map((one) => one.pid)]);
  processes.signal(pid, "SIGTERM");
  const gone = () =>
    [...ours].every((one) => !processes.lives(one)) && processes.naming(processes.list(), folder).length === 0;
  for (let tries = 0; tries < 60 && !gone(); tries += 1) await sleep(250);
  const left = processes.list().filter((one) => ours.has(one.pid) || one.line.includes(folder));
  const named = left.filter((one) => one.pid !== process.pid);
  for (const one of named) processes.signal(one.pid, "SIGKILL");
  await ended;
  if (named.length > 0) {
    throw new Error(`still there 15 s after the editor was ended:\n${named.map(({ line }) => line).join("\n")}`);
  }
}

module.exports = { installExtensions, prepare, start };
