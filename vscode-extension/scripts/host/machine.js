// What this machine must have and nothing here installs: a Chromium, and the compiler for the editor's native modules.
"use strict";

const { accessSync, constants, statSync } = require("node:fs");
const path = require("node:path");
const { Stop, exitCodes } = require("./stop.js");

const browsers = ["google-chrome-stable", "google-chrome", "chromium", "chromium-browser", "microsoft-edge-stable"];

/** Where macOS keeps browsers; they are not on PATH there. */
const applications = [
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
];

/** Whether a file is there and may be run. */
function isProgram(file) {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/**
 * The first of these programs on PATH, as a path.
 * @param {string[]} names
 * @param {NodeJS.ProcessEnv} environment
 */
function onPath(names, environment) {
  const folders = (environment.PATH ?? "").split(path.delimiter).filter((folder) => path.isAbsolute(folder));
  return names.flatMap((name) => folders.map((folder) => path.join(folder, name))).find(isProgram);
}

/** How missing programs are installed on this platform. */
function remedy(linux, mac, platform) {
  return platform === "darwin" ? mac : linux;
}

/**
 * The browser and the list of everything that is missing, said at once.
 * @param {NodeJS.ProcessEnv} environment
 * @param {NodeJS.Platform} platform
 * @returns {{ browser: string }}
 */
function requireMachine(environment, platform) {
  if (platform !== "linux" && platform !== "darwin") {
    throw new Stop(exitCodes.missing, `the editor's server runs on Linux and macOS, not on ${platform}`, [
      "run the command on Linux, for example in WSL",
    ]);
  }
  const named = environment.VSCODE_HOST_BROWSER;
  if (named && !isProgram(named)) {
    throw new Stop(exitCodes.usage, `VSCODE_HOST_BROWSER names ${named}, which is no program`, [
      "unset VSCODE_HOST_BROWSER",
    ]);
  }
  const browser =
    named || onPath(browsers, environment) || (platform === "darwin" ? applications.find(isProgram) : undefined);
  const missing = [];
  const hints = new Set();
  if (!browser) {
    missing.push("a Chromium or Chrome");
    hints.add(remedy("sudo apt-get install --yes chromium", "brew install --cask google-chrome", platform));
  }
  for (const [what, names, linux] of [
    ["a C++ compiler", ["c++", "g++", "clang++"], "build-essential"],
    ["make", ["make", "gmake"], "build-essential"],
    ["python3", ["python3"], "python3"],
  ]) {
    if (onPath(names, environment)) continue;
    missing.push(what);
    hints.add(remedy(`sudo apt-get install --yes ${linux}`, "xcode-select --install", platform));
  }
  if (missing.length > 0) {
    const text = `not on this machine: ${missing.join(", ")}; a real editor is compiled and looked at with them`;
    throw new Stop(exitCodes.missing, text, [...hints]);
  }
  return { browser };
}

module.exports = { onPath, requireMachine };
