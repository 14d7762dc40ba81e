import assert from "node:assert/strict";
import { test } from "node:test";
import type { BundleManifest } from "../bundle/manifest.ts";
import { makeMarker } from "../environment/marker.ts";
import { describeProvenance } from "./provenance.ts";

const manifest: BundleManifest = {
  name: "mcp-server-jupyter",
  version: "0.1.0",
  commit: "c".repeat(40),
  dirty: false,
  consoleScript: "mcp-server-jupyter",
  wheel: { file: "mcp_server_jupyter-0.1.0-py3-none-any.whl", size: 158, sha256: "a".repeat(64) },
  requirements: { file: "requirements.txt", size: 1, sha256: "b".repeat(64) },
};
const about = { extensionVersion: "0.1.0", extensionFolder: "/ext" };
const marker = makeMarker(
  manifest,
  { source: "path", executable: "/usr/bin/python3", version: [3, 11, 4], implementation: "cpython" },
  new Date("2026-01-02T03:04:05Z"),
);

test("the page of a verified server", () => {
  const page = describeProvenance({
    ...about,
    bundle: { manifest, problem: undefined },
    environment: { folder: "/storage/environments/x", marker, problems: [] },
  });
  assert.equal(
    page,
    `# Jupyter MCP Server: version and provenance

## Bundle

- **Extension:** 0.1.0
- **Folder:** \`/ext\`
- **Server:** mcp-server-jupyter 0.1.0
- **Commit:** \`${"c".repeat(40)}\`
- **Wheel:** \`mcp_server_jupyter-0.1.0-py3-none-any.whl\`, 158 bytes
- **Wheel sha256:** \`${"a".repeat(64)}\`
- **Requirements sha256:** \`${"b".repeat(64)}\`
- **Verified:** yes: the bytes of the wheel and the requirements are those of the manifest

## Environment

- **Folder:** \`/storage/environments/x\`
- **Created:** 2026-01-02T03:04:05.000Z, by cpython 3.11.4
- **Interpreter:** \`/usr/bin/python3\`
- **Installed from wheel:** \`${"a".repeat(64)}\`
- **Verified:** yes: every file of the installed server has the bytes it has in the bundled wheel
`,
  );
});

test("uncommitted changes, a changed installation and a missing environment are said plainly", () => {
  const dirty = { manifest: { ...manifest, dirty: true }, problem: undefined };
  const changed = { folder: "/e", marker, problems: ["changed after installation: /e/x.py"] };
  const page = describeProvenance({ ...about, bundle: dirty, environment: changed });
  assert.match(page, /c{40}` with uncommitted changes/);
  assert.match(page, /\*\*Verified:\*\* NO: changed after installation: \/e\/x\.py/);
  assert.match(describeProvenance({ ...about, bundle: dirty, environment: undefined }), /None yet\. It is created/);
});

test("a bundle that cannot be read says why and claims nothing", () => {
  const page = describeProvenance({
    ...about,
    bundle: { manifest: undefined, problem: "NO: /ext/python_server/manifest.json is missing." },
    environment: undefined,
  });
  assert.match(page, /\*\*Verified:\*\* NO: \/ext\/python_server\/manifest\.json is missing\./);
  assert.doesNotMatch(page, /sha256|Verified:\*\* yes/);
});
