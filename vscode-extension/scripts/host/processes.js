// Which processes belong to a run. Everything is ended by its number, and only what the run itself started.
"use strict";

const { spawnSync } = require("node:child_process");

/** @typedef {{ pid: number, parent: number, line: string }} Process */

/**
 * What `ps` listed.
 * @param {string} listing lines of process, parent and command line
 * @returns {Process[]}
 */
function parse(listing) {
  return [...listing.matchAll(/^\s*(\d+)\s+(\d+)\s+(.*)$/gm)].map(([, pid, parent, line]) => ({
    pid: Number(pid),
    parent: Number(parent),
    line,
  }));
}

/** All processes of the machine. */
function list() {
  const result = spawnSync("ps", ["-A", "-ww", "-o", "pid=,ppid=,args="], { encoding: "utf8", maxBuffer: 1 << 26 });
  if (result.status !== 0) throw new Error(`ps failed: ${result.error?.message ?? result.stderr}`);
  return parse(result.stdout);
}

/**
 * The processes that `root` started, and those these started.
 * @param {Process[]} processes
 * @param {number} root
 */
function below(processes, root) {
  const children = processes.filter(({ parent, pid }) => parent === root && pid !== root);
  return children.flatMap((child) => [child, ...below(processes, child.pid)]);
}

/**
 * The processes that work in a folder of this run, whoever is their parent now.
 * @param {Process[]} processes
 * @param {string} folder
 */
function naming(processes, folder) {
  return processes.filter(({ pid, line }) => pid !== process.pid && line.includes(folder));
}

/** Whether a process is there. */
function lives(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Sends a signal; one that ended in between needs none. */
function signal(pid, name) {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (error.code !== "ESRCH") throw error;
  }
}

module.exports = { below, list, lives, naming, parse, signal };
