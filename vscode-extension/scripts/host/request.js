// What the orchestrator hands over by the environment: the package under test, the tools it must offer, and one call.
"use strict";

const { existsSync } = require("node:fs");
const path = require("node:path");
const { Stop, exitCodes } = require("./stop.js");

const byVerb = ["cargo xtask test host"];

function json(environment, name, fits, what) {
  try {
    const value = JSON.parse(environment[name]);
    if (fits(value)) return value;
  } catch {
    // Said below, together with the other way of being wrong.
  }
  throw new Stop(exitCodes.usage, `${name} must be ${what}; this script is run by the orchestrator`, byVerb);
}

/**
 * Reads and checks it.
 * @param {NodeJS.ProcessEnv} environment
 * @returns {{ vsix: string, tools: string[], call: { tool: string, arguments: object } }}
 */
function readRequest(environment) {
  const vsix = environment.XTASK_VSIX;
  if (!vsix || !path.isAbsolute(vsix) || !existsSync(vsix)) {
    const text = `XTASK_VSIX ${vsix ? `names ${vsix}, which is no file` : "is not set"}; it names the .vsix to be tested`;
    throw new Stop(exitCodes.usage, text, byVerb);
  }
  const isText = (value) => typeof value === "string" && value !== "";
  const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
  return {
    vsix,
    tools: json(
      environment,
      "XTASK_TOOLS",
      (value) => Array.isArray(value) && value.length > 0 && value.every(isText),
      "a JSON array of the names of the server's tools",
    ),
    call: json(
      environment,
      "XTASK_CALL",
      (value) => isObject(value) && isText(value.tool) && isObject(value.arguments),
      'a JSON object such as {"tool": "name", "arguments": {}}',
    ),
  };
}

module.exports = { readRequest };
