// Bundles src/extension.ts into dist/extension.js, the one script the extension ships.
//
// The output depends on the sources and the locked esbuild only: no source map, no date, and every path esbuild writes
// into its comments is relative to this folder, so the same commit gives the same bytes on every machine.
"use strict";

const { rmSync } = require("node:fs");
const path = require("node:path");
const { buildSync } = require("esbuild");

const extensionFolder = path.resolve(__dirname, "..");
// Whatever an earlier version of this script left in dist/ must not be taken for its output.
rmSync(path.join(extensionFolder, "dist"), { recursive: true, force: true });
buildSync({
  absWorkingDir: extensionFolder,
  entryPoints: ["src/extension.ts"],
  outfile: "dist/extension.js",
  bundle: true,
  platform: "node",
  format: "cjs",
  target: "node20",
  external: ["vscode"],
  charset: "utf8",
  legalComments: "none",
  sourcemap: false,
  logLevel: "info",
});
