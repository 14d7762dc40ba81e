// A package counts only with its pinned bytes, and npm runs with the Node.js that it builds for.
"use strict";

const assert = require("node:assert/strict");
const { mkdirSync, mkdtempSync, rmSync, writeFileSync } = require("node:fs");
const { tmpdir } = require("node:os");
const path = require("node:path");
const { after, test } = require("node:test");
const { npmEnvironment, requireIntegrity } = require("./npm.js");

const wanted = { name: "editor", version: "1.2.3", integrity: "sha512-right" };

test("the pinned bytes, and nothing else, are accepted", () => {
  const check = (entry) => requireIntegrity({ packages: { "node_modules/editor": entry } }, wanted);
  check({ version: "1.2.3", integrity: "sha512-right" });
  const refused = [
    [{ version: "1.2.3", integrity: "sha512-wrong" }, /sha512-wrong instead of 1\.2\.3 with sha512-right/],
    [{ version: "1.2.4", integrity: "sha512-right" }, /1\.2\.4 with sha512-right instead/],
    [{ version: "1.2.3" }, /no digest instead/],
    [undefined, /nothing with no digest instead/],
  ];
  for (const [entry, message] of refused) assert.throws(() => check(entry), { message });
  assert.throws(() => requireIntegrity({}, wanted), /not the pinned package/);
});

test("npm finds the right Node.js first, its headers beside it, and nothing of the npm around it", () => {
  const root = mkdtempSync(path.join(tmpdir(), "node mit kopf "));
  after(() => rmSync(root, { recursive: true, force: true }));
  const node = path.join(root, "bin", "node");
  const around = {
    PATH: "/usr/bin",
    npm_lifecycle_event: "test:host",
    npm_config_registry: "kept",
    npm_node_execpath: "x",
  };
  const bare = npmEnvironment(node, around);
  assert.deepEqual(bare, { PATH: `${path.join(root, "bin")}${path.delimiter}/usr/bin`, npm_config_registry: "kept" });
  mkdirSync(path.join(root, "include", "node"), { recursive: true });
  writeFileSync(path.join(root, "include", "node", "node.h"), "");
  assert.equal(npmEnvironment(node, around).npm_config_nodedir, root);
});
