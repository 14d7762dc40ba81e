import assert from "node:assert/strict";
import { test } from "node:test";
import type { BundleManifest } from "../bundle/manifest.ts";
import { offeredVersion, offerServers } from "./definition.ts";

const manifest: BundleManifest = {
  name: "mcp-server-jupyter",
  version: "0.1.0",
  commit: "0123456789abcdef0123456789abcdef01234567",
  dirty: false,
  consoleScript: "mcp-server-jupyter",
  wheel: { file: "x.whl", size: 1, sha256: "a".repeat(64) },
  requirements: { file: "requirements.txt", size: 1, sha256: "b".repeat(64) },
};

test("one folder: the server works in it, and modules come from nowhere else", () => {
  const [offer, ...others] = offerServers([{ name: "my project", path: "/projects/my project" }], manifest, "debug");
  assert.deepEqual(others, []);
  assert.equal(offer?.label, "Jupyter");
  assert.deepEqual(offer.args, ["--root", "/projects/my project"]);
  assert.equal(offer.cwd, "/projects/my project");
  assert.equal(offer.env["LOG_LEVEL"], "DEBUG");
  assert.equal(offer.env["PYTHONPATH"], null);
  assert.equal(offer.env["PYTHONHOME"], null);
});

test("several folders: one server each, told apart by label even when the names are equal", () => {
  const folders = ["a", "b", "a"].map((name, index) => ({ name, path: `/${index}` }));
  const offers = offerServers(folders, manifest, "info");
  assert.deepEqual(
    offers.map(({ label, cwd }) => [label, cwd]),
    [
      ["Jupyter (a)", "/0"],
      ["Jupyter (b)", "/1"],
      ["Jupyter (a) 2", "/2"],
    ],
  );
});

test("the offered version changes with the commit and says when it is not a clean one", () => {
  assert.equal(offeredVersion(manifest), "0.1.0+0123456789ab");
  assert.equal(offeredVersion({ ...manifest, dirty: true }), "0.1.0+0123456789ab.dirty");
});
