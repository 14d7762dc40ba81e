// The pinned editor, installed once into .vscode-test/ and built for the Node.js it needs. An installation that exists is
// complete: it is made beside its place and renamed into it.
"use strict";

const { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync } = require("node:fs");
const path = require("node:path");
const { compile, installPinned, npm } = require("./npm.js");
const { Stop, exitCodes } = require("./stop.js");
const { nodePackage } = require("./versions.js");

const machine = `${process.platform}-${process.arch}`;

/** Makes `place` whole or not at all. */
function once(place, make) {
  if (existsSync(place)) return;
  mkdirSync(path.dirname(place), { recursive: true });
  const staged = mkdtempSync(path.join(path.dirname(place), "unfinished-"));
  try {
    make(staged);
    renameSync(staged, place);
  } finally {
    rmSync(staged, { recursive: true, force: true });
  }
}

/**
 * A Node.js of this major version: the one that runs this, or the pinned one out of its package.
 * @param {string} major
 * @param {string} cache
 * @returns {string} the program
 */
function nodeFor(major, cache, running = process.versions.node) {
  if (running.split(".")[0] === major) return process.execPath;
  const wanted = nodePackage(major, machine);
  if (wanted === undefined) {
    throw new Stop(exitCodes.missing, `this editor needs Node.js ${major}; this is ${running}`, [
      `put a Node.js ${major} first on PATH, for example: nvm use ${major}`,
    ]);
  }
  const place = path.join(cache, `${wanted.name}-${wanted.version}`);
  once(place, (folder) => installPinned(process.execPath, folder, wanted));
  return path.join(place, "node_modules", wanted.name, "bin", "node");
}

/**
 * Installs the editor. No script of a package is run but of those in versions.json: what must be compiled is named there,
 * and the rest (searching in files, Kerberos proxies, databases of agents) is no part of this test.
 * @param {import("./versions.js").Host} host
 * @param {string} cache
 * @returns {{ node: string, script: string }} what starts it
 */
function installHost(host, cache, say) {
  const node = nodeFor(host.node, cache);
  const place = path.join(cache, `code-server-${host.version}-node-${host.node}-${machine}`);
  once(place, (folder) => {
    say(`installing code-server ${host.version} (VS Code ${host.vscode}) with Node.js ${host.node}, once`);
    const server = installPinned(node, folder, { ...host, name: "code-server" });
    for (const name of host.build) npm(node, folder, ["rebuild", "--build-from-source", "--foreground-scripts", name]);
    const editor = path.join(server, "lib", "vscode");
    // What its modules need of each other is all in its list; npm would add newer ones to please peers that are not used.
    npm(node, editor, ["ci", "--omit=dev", "--legacy-peer-deps", "--ignore-scripts"]);
    // Older editors look for their modules under this name.
    symlinkSync("node_modules", path.join(editor, "node_modules.asar"));
    for (const name of host.compile) compile(node, path.join(editor, "node_modules", name));
  });
  return { node, script: path.join(place, "node_modules", "code-server", "out", "node", "entry.js") };
}

module.exports = { installHost, nodeFor, once };
