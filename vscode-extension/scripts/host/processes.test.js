// Only what a run started is its own.
"use strict";

const assert = require("node:assert/strict");
const { spawn } = require("node:child_process");
const { test } = require("node:test");
const { below, list, lives, naming, parse, signal } = require("./processes.js");

const posixOnly = { skip: process.platform === "win32" && "there is no ps" };

const listing = `    1     0 /sbin/init
   10     1 node entry.js --user-data-dir /tmp/host-a/data
   11    10 node fork
  120    11 /tmp/host-a/env/bin/server
   13     1 /tmp/host-b/env/bin/server
   14     0
`;

test("descendants are found to the last, and strangers are not", () => {
  const pids = (found) => found.map(({ pid }) => pid);
  const processes = parse(listing);
  assert.deepEqual(pids(below(processes, 10)), [11, 120]);
  assert.deepEqual(pids(below(processes, 13)), []);
  assert.deepEqual(pids(naming(processes, "/tmp/host-a/")), [10, 120]);
});

test("a real process is listed below its parent and ends by its number", posixOnly, async () => {
  const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)", "mark-of-this-test"]);
  const ended = new Promise((resolve) => child.once("exit", resolve));
  assert.ok(below(list(), process.pid).some(({ pid }) => pid === child.pid));
  assert.ok(lives(child.pid));
  signal(child.pid, "SIGKILL");
  await ended;
  assert.ok(!lives(child.pid));
  signal(child.pid, "SIGKILL");
});
