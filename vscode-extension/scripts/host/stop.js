// A reason to end that is no failed check: what is wrong, what to do about it, and the exit code of `cargo xtask` for it.
"use strict";

/** The exit codes that the orchestrator documents for these cases. */
const exitCodes = { usage: 2, missing: 5 };

class Stop extends Error {
  /**
   * @param {number} exitCode
   * @param {string} message
   * @param {string[]} hints commands that can be pasted
   */
  constructor(exitCode, message, hints = []) {
    super(message);
    this.exitCode = exitCode;
    this.hints = hints;
  }
}

/** The lines a person reads. */
function explain(stop) {
  return [`error: ${stop.message}`, ...stop.hints.map((hint) => `  try: ${hint}`)].join("\n");
}

module.exports = { Stop, exitCodes, explain };
