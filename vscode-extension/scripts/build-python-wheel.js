// `npm run bundle-python`: builds the server's wheel from the commit and puts it into python_server/.
//
// Inside `cargo xtask package` the bundle already lies in the staged copy of this folder (XTASK_STAGE is set); building
// it a second time there could only replace the proven file by another one.
"use strict";

const { runVerbs } = require("./orchestrator.js");

if (process.env.XTASK_STAGE) {
  console.log("bundle-python: the orchestrator has already placed the bundle in this staged copy; nothing to build");
} else {
  runVerbs([["build"], ["bundle"]]);
}
