// What is installed is whole or not there at all, and fits the editor.
"use strict";

const assert = require("node:assert/strict");
const { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } = require("node:fs");
const { tmpdir } = require("node:os");
const path = require("node:path");
const { after, test } = require("node:test");
const { nodeFor, once } = require("./install.js");

function temporaryFolder() {
  const made = mkdtempSync(path.join(tmpdir(), "ablage mit leerzeichen "));
  after(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

test("an installation that breaks leaves nothing, and the next one is whole", () => {
  const folder = temporaryFolder();
  const place = path.join(folder, "below", "editor");
  const half = (staged) => {
    writeFileSync(path.join(staged, "half"), "");
    throw new Error("the network went away");
  };
  assert.throws(() => once(place, half), /the network went away/);
  assert.deepEqual(readdirSync(path.dirname(place)), []);
  once(place, (staged) => writeFileSync(path.join(staged, "whole"), ""));
  assert.ok(existsSync(path.join(place, "whole")));
  once(place, half);
  assert.deepEqual(readdirSync(place), ["whole"]);
});

test("the running Node.js is taken when the editor needs its major version", () => {
  assert.equal(nodeFor(process.versions.node.split(".")[0], temporaryFolder()), process.execPath);
});
