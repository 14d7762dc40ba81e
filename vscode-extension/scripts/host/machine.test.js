// What is missing on a machine is said at once, with the command that installs it.
"use strict";

const assert = require("node:assert/strict");
const { chmodSync, mkdtempSync, rmSync, writeFileSync } = require("node:fs");
const { tmpdir } = require("node:os");
const path = require("node:path");
const { after, test } = require("node:test");
const { requireMachine } = require("./machine.js");

const posixOnly = { skip: process.platform === "win32" && "modes of files are those of POSIX" };

/** The environment of a machine that has these programs. */
function machine(...programs) {
  const folder = mkdtempSync(path.join(tmpdir(), "maschine mit leerzeichen "));
  after(() => rmSync(folder, { recursive: true, force: true }));
  for (const name of programs) {
    writeFileSync(path.join(folder, name), "");
    chmodSync(path.join(folder, name), 0o755);
  }
  return { PATH: folder };
}

test("a browser on PATH is found, the machine's Chrome before a Chromium", posixOnly, () => {
  const check = (programs, expected) => {
    const environment = machine("g++", "make", "python3", ...programs);
    const { browser } = requireMachine(environment, "linux");
    assert.equal(browser, path.join(environment.PATH, expected));
  };
  check(["chromium"], "chromium");
  check(["chromium-browser"], "chromium-browser");
  check(["chromium", "google-chrome"], "google-chrome");
});

test("everything that is missing is said at once, each install command once", posixOnly, () => {
  assert.throws(() => requireMachine(machine("python3"), "linux"), {
    exitCode: 5,
    message: /^not on this machine: a Chromium or Chrome, a C\+\+ compiler, make;/,
    hints: ["sudo apt-get install --yes chromium", "sudo apt-get install --yes build-essential"],
  });
  assert.throws(() => requireMachine(machine("chromium", "make", "python3"), "darwin"), {
    exitCode: 5,
    message: /^not on this machine: a C\+\+ compiler;/,
    hints: ["xcode-select --install"],
  });
});

test("a file that cannot be run is no browser, and a named one must be there", posixOnly, () => {
  const environment = machine("chromium", "g++", "make", "python3");
  chmodSync(path.join(environment.PATH, "chromium"), 0o644);
  assert.throws(() => requireMachine(environment, "linux"), { exitCode: 5 });
  const named = path.join(environment.PATH, "g++");
  assert.equal(requireMachine({ ...environment, VSCODE_HOST_BROWSER: named }, "linux").browser, named);
  assert.throws(() => requireMachine({ ...environment, VSCODE_HOST_BROWSER: "/absent" }, "linux"), {
    exitCode: 2,
    message: /VSCODE_HOST_BROWSER names \/absent, which is no program/,
  });
});

test("a platform the editor's server does not run on is said before anything else", () => {
  assert.throws(() => requireMachine({}, "win32"), { exitCode: 5, message: /not on win32/ });
});
