// The prepublish gate: lets `cargo xtask check` read this folder and stops packaging when anything but the bundle is in it.
"use strict";

const { extensionFolder, runVerbs } = require("./orchestrator.js");

runVerbs([["check", extensionFolder]]);
