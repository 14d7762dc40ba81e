import assert from "node:assert/strict";
import { test } from "node:test";
import { parseBundleManifest } from "./manifest.ts";

const valid = {
  schema: 1,
  name: "mcp-server-jupyter",
  version: "0.1.0",
  commit: "a".repeat(40),
  dirty: false,
  consoleScript: "mcp-server-jupyter",
  wheel: { file: "mcp_server_jupyter-0.1.0-py3-none-any.whl", size: 158000, sha256: "b".repeat(64) },
  requirements: { file: "requirements.txt", size: 1234, sha256: "c".repeat(64) },
};

test("a valid manifest is read whole", () => {
  const { schema: _, ...expected } = valid;
  assert.deepEqual(parseBundleManifest(JSON.stringify(valid), "manifest.json"), expected);
});

const refused: ReadonlyArray<readonly [string, unknown, RegExp]> = [
  ["another schema", { ...valid, schema: 2 }, /has schema 2, and this extension reads schema 1 only/],
  ["no schema", { ...valid, schema: undefined }, /has schema undefined/],
  ["a list", [valid], /is not a JSON object/],
  ["an unknown key", { ...valid, extra: 1 }, /unknown key extra/],
  ["an unknown key of a file", { ...valid, wheel: { ...valid.wheel, url: "" } }, /unknown key wheel\.url/],
  ["a missing version", { ...valid, version: undefined }, /version is missing/],
  ["a short commit", { ...valid, commit: "abc" }, /commit is "abc"/],
  ["a flag as text", { ...valid, dirty: "no" }, /dirty is not true or false/],
  ["a script with a path", { ...valid, consoleScript: "../x" }, /consoleScript is/],
  ["an upper-case digest", { ...valid, wheel: { ...valid.wheel, sha256: "B".repeat(64) } }, /wheel\.sha256 is/],
  ["a negative size", { ...valid, wheel: { ...valid.wheel, size: -1 } }, /wheel\.size is not a whole number/],
  ["no wheel", { ...valid, wheel: undefined }, /wheel is not an object/],
  ["the wheel of another version", { ...valid, version: "0.2.0" }, /does not start with mcp_server_jupyter-0\.2\.0-/],
  ...["../x.whl", "a/b.whl", "a\\b.whl", "C:x.whl", ".x.whl", "", "x.zip"].map(
    (file) => [`the file name ${file}`, { ...valid, wheel: { ...valid.wheel, file } }, /wheel\.file/] as const,
  ),
];

for (const [what, value, message] of refused) {
  test(`refused: ${what}`, () => {
    assert.throws(
      () => parseBundleManifest(JSON.stringify(value), "/x/manifest.json"),
      (error: Error) => {
        assert.match(error.message, message);
        assert.match(error.message, /^\/x\/manifest\.json .*Reinstall the extension/);
        return true;
      },
    );
  });
}

test("refused: not JSON", () => {
  assert.throws(() => parseBundleManifest("{", "m.json"), /m\.json is not JSON/);
});

test("all problems are reported together", () => {
  assert.throws(
    () => parseBundleManifest(JSON.stringify({ schema: 1, name: "x", surplus: 1 }), "m"),
    /unknown key surplus.*version is missing.*commit is missing.*wheel is not an object/,
  );
});
