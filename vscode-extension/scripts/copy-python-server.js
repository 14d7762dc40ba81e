// Retired: copying the server's source into the extension. It stays here so that old habits and old CI files
// get an explanation instead of an extension that carries source nobody has tested.
"use strict";

console.error(
  [
    "copy-python-server.js is retired: the extension no longer carries a copy of the server's source.",
    "A copy can differ from the wheel that was built and proven, and nobody could tell afterwards what was shipped.",
    "Run this instead, in the folder of the extension:",
    "",
    "    npm run bundle-python",
    "",
    "or, for the whole release, from the repository root:",
    "",
    "    cargo xtask release",
  ].join("\n"),
);
process.exitCode = 1;
