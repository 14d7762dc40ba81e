// Which editors the extension is tried in. versions.json is the one place that pins them, each to the bytes of its package.
"use strict";

const { Stop, exitCodes } = require("./stop.js");
const pinned = require("./versions.json");

/**
 * @typedef {{ name: string, version: string, integrity: string, vscode: string, node: string,
 *   activatedBy: "command" | "list", build: string[], compile: string[] }} Host
 * `version` is that of code-server, `vscode` that of the editor in it, `node` the major version it runs on, `build` the
 * modules of code-server and `compile` those of the editor that they do not start without.
 * `activatedBy` says what first wakes the extension without a chat: older editors list only servers of extensions that
 * run already, newer ones need nothing but the list.
 */

/**
 * The hosts that `VSCODE_HOST` names: one, or all when it names none.
 * @param {string | undefined} asked
 * @returns {Host[]}
 */
function hostsFor(asked) {
  const hosts = Object.entries(pinned.hosts).map(([name, host]) => ({ name, ...host }));
  if (!asked) return hosts;
  const found = hosts.filter(({ name }) => name === asked);
  if (found.length > 0) return found;
  const names = hosts.map(({ name }) => name);
  throw new Stop(exitCodes.usage, `VSCODE_HOST is ${JSON.stringify(asked)}, which is none of: ${names.join(", ")}`, [
    `VSCODE_HOST=${names[0]} cargo xtask test host`,
  ]);
}

/**
 * The package that carries a Node.js of this major version for this machine, if there is one.
 * @param {string} major
 * @param {string} machine such as `linux-x64`
 */
function nodePackage(major, machine) {
  const { version, ...integrities } = pinned.node[major];
  const integrity = integrities[machine];
  return integrity === undefined ? undefined : { name: `node-${machine}`, version, integrity };
}

module.exports = { hostsFor, nodePackage };
