import assert from "node:assert/strict";
import { test } from "node:test";
import { expandPath, listCandidates, listChoices, type SearchInput } from "./candidates.ts";

function search(files: readonly string[], changes: Partial<SearchInput> = {}): SearchInput {
  return {
    platform: "linux",
    searchPath: "/opt/bin:relative:/usr/bin",
    homeFolder: "/home/zoé",
    workspaceFolder: "/projects/my project",
    setting: "",
    pythonExtension: undefined,
    look: (path) => {
      if (files.includes(path)) return "file";
      return files.some((file) => file.startsWith(`${path}/`) || file.startsWith(`${path}\\`)) ? "folder" : "nothing";
    },
    ...changes,
  };
}

function files(input: SearchInput): Array<string | undefined> {
  return listCandidates(input).map(({ file }) => file);
}

test("the order is the Python extension's choice, then python3, python and versioned names on PATH", () => {
  const found = listCandidates(
    search(["/chosen/python", "/usr/bin/python3", "/opt/bin/python3.12"], { pythonExtension: "/chosen/python" }),
  );
  assert.deepEqual(
    found.filter(({ file }) => file !== undefined).map(({ source, label, file }) => [source, label, file]),
    [
      ["pythonExtension", "/chosen/python", "/chosen/python"],
      ["path", "python3", "/usr/bin/python3"],
      ["path", "python3.12", "/opt/bin/python3.12"],
    ],
  );
});

test("a setting is the only candidate, found or not", () => {
  const input = search(["/chosen/python", "/usr/bin/python3"], {
    setting: " /absent ",
    pythonExtension: "/chosen/python",
  });
  assert.deepEqual(listCandidates(input), [{ source: "setting", label: "/absent", file: undefined, args: [] }]);
});

test("a setting may name a file, an environment's folder, a relative path or a name on PATH", () => {
  const present = ["/venv/bin/python", "/projects/my project/.venv/bin/python3", "/opt/bin/pypy3", "/home/zoé/py"];
  const file = (setting: string) => files(search(present, { setting }))[0];
  assert.equal(file("/venv/bin/python"), "/venv/bin/python");
  assert.equal(file("/venv"), "/venv/bin/python");
  assert.equal(file(".venv/"), "/projects/my project/.venv/bin/python3");
  assert.equal(file("./.venv"), "/projects/my project/.venv/bin/python3");
  assert.equal(file("${workspaceFolder}/.venv"), "/projects/my project/.venv/bin/python3");
  assert.equal(file("~/py"), "/home/zoé/py");
  assert.equal(file("pypy3"), "/opt/bin/pypy3");
  assert.equal(file("/venv/bin"), undefined);
});

test("a relative entry of PATH is never used", () => {
  assert.ok(
    !files(search(["relative/python3", "/projects/my project/relative/python3"])).some((file) => file !== undefined),
  );
});

test("Windows: python3, python and the launcher, with quoted and odd PATH entries", () => {
  const input = search(["C:\\Program Files\\Python\\python.exe", "C:\\Windows\\py.exe"], {
    platform: "win32",
    searchPath: '"C:\\Program Files\\Python";;.\\bin;C:\\Windows',
  });
  assert.deepEqual(
    listCandidates(input).map(({ label, file, args }) => [label, file, args]),
    [
      ["python3", undefined, []],
      ["python", "C:\\Program Files\\Python\\python.exe", []],
      ["py -3", "C:\\Windows\\py.exe", ["-3"]],
    ],
  );
  const setting = { ...input, setting: "C:\\env", look: search(["C:\\env\\Scripts\\python.exe"]).look };
  assert.deepEqual(files(setting), ["C:\\env\\Scripts\\python.exe"]);
});

test("the picker shows the others beside the one that is set", () => {
  const input = search(["/set/python", "/usr/bin/python3"], { setting: "/set/python" });
  assert.deepEqual(
    listChoices(input)
      .filter(({ file }) => file !== undefined)
      .map(({ file }) => file),
    ["/set/python", "/usr/bin/python3"],
  );
});

test("expanding touches only what it knows, and never reads a value as a pattern", () => {
  const folders = { homeFolder: "/home/$&", workspaceFolder: undefined };
  assert.equal(expandPath("~/a~b", folders), "/home/$&/a~b");
  assert.equal(expandPath("~other/x", folders), "~other/x");
  assert.equal(expandPath("${userHome}/x", folders), "/home/$&/x");
  assert.equal(expandPath("${workspaceFolder}/x", folders), "${workspaceFolder}/x");
});
