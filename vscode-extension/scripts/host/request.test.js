// What the orchestrator hands over is checked before anything is installed.
"use strict";

const assert = require("node:assert/strict");
const { spawnSync } = require("node:child_process");
const path = require("node:path");
const { test } = require("node:test");
const { readRequest } = require("./request.js");

const good = {
  XTASK_VSIX: path.resolve(__filename),
  XTASK_TOOLS: '["list_kernels"]',
  XTASK_CALL: '{"tool": "list_kernels", "arguments": {}}',
};

test("a whole request is read", () => {
  assert.deepEqual(readRequest(good), {
    vsix: good.XTASK_VSIX,
    tools: ["list_kernels"],
    call: { tool: "list_kernels", arguments: {} },
  });
});

test("whatever is wrong with it is a wrong use, by name", () => {
  const check = (name, value) =>
    assert.throws(() => readRequest({ ...good, [name]: value }), {
      exitCode: 2,
      message: new RegExp(name),
      hints: ["cargo xtask test host"],
    });
  for (const value of [undefined, "", "relative.vsix", "/absent.vsix"]) check("XTASK_VSIX", value);
  for (const value of [undefined, "", "[", "[]", "{}", "[1]", '[""]', "null"]) check("XTASK_TOOLS", value);
  for (const value of [undefined, "{", "[]", "null", "{}", '{"tool": "x"}', '{"tool": "x", "arguments": []}'])
    check("XTASK_CALL", value);
});

test("the script ends with the exit code and the command to run instead", () => {
  const outcome = spawnSync(process.execPath, [path.join(__dirname, "main.js")], {
    env: { PATH: process.env.PATH, VSCODE_HOST: "neither" },
    encoding: "utf8",
  });
  assert.equal(outcome.status, 2);
  assert.equal(
    outcome.stderr,
    'error: VSCODE_HOST is "neither", which is none of: oldest, newest\n  try: VSCODE_HOST=oldest cargo xtask test host\n',
  );
});
