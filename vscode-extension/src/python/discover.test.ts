import assert from "node:assert/strict";
import { chmodSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { test } from "node:test";
import { Failure } from "../failure.ts";
import { run } from "../process/run.ts";
import { python, temporaryFolder } from "../testing/machine.ts";
import { listCandidates } from "./candidates.ts";
import { type Asking, findInterpreter, look } from "./discover.ts";

const posixOnly = { skip: process.platform === "win32" && "shims are shell scripts" };

function asking(): Asking {
  return { run, cwd: temporaryFolder(), env: process.env };
}

/** A folder with small programs under the given names. */
function shims(programs: Record<string, string>): string {
  const folder = temporaryFolder();
  for (const [name, body] of Object.entries(programs)) {
    writeFileSync(join(folder, name), `#!/bin/sh\n${body}\n`);
    chmodSync(join(folder, name), 0o755);
  }
  return folder;
}

function candidatesIn(folders: readonly string[], setting = "") {
  return listCandidates({
    platform: process.platform,
    searchPath: folders.join(delimiter),
    homeFolder: "/",
    workspaceFolder: undefined,
    setting,
    pythonExtension: undefined,
    look,
  });
}

const answer = (version: string, more = "") =>
  `echo '{"version": [${version}], "executable": "/x", "implementation": "cpython", "venv": true, "ensurepip": true, "platform": "linux"${more}}'`;

test("an old python3 is passed over for a newer one under another name", posixOnly, async () => {
  const folder = shims({ python3: answer("3, 9, 2") });
  symlinkSync(python, join(folder, "python3.12"));
  const found = await findInterpreter(candidatesIn([folder]), asking());
  assert.ok(found.version[0] === 3 && found.version[1] >= 10);
});

test("the failure lists what was tried and why each was refused", posixOnly, async () => {
  const folder = shims({
    python3: answer("3, 9, 2"),
    python: "echo 'Python was not found; install it' >&2; exit 49",
    "python3.14": answer("3, 14, 0", ', "ensurepip": false'),
    "python3.13": "kill -9 $$",
    "python3.12": "echo 3.12",
  });
  await assert.rejects(findInterpreter(candidatesIn([folder]), asking()), (error: unknown) => {
    assert.ok(error instanceof Failure);
    const { message } = error;
    assert.ok(
      message.includes(`python3 on PATH (${join(folder, "python3")}) is Python 3.9.2, and 3.10 or newer is needed`),
      message,
    );
    assert.match(message, /python on PATH \(.*\) ended with 49: Python was not found; install it/);
    assert.match(
      message,
      /python3\.14 on PATH \(.*\) cannot create environments, because its module ensurepip is missing/,
    );
    assert.match(message, /python3\.13 on PATH \(.*\) ended with a signal/);
    assert.match(message, /python3\.12 on PATH \(.*\) did not answer like a Python/);
    assert.match(message, /not on PATH: python3\.11, python3\.10\./);
    assert.match(message, /Install Python 3\.10 or newer, or select an interpreter/);
    assert.deepEqual(error.remedies, ["selectInterpreter", "showLog"]);
    return true;
  });
});

test("a setting that does not fit is refused without trying anything else", async () => {
  const absent = join(temporaryFolder(), "absent", "python");
  await assert.rejects(findInterpreter(candidatesIn([], absent), asking()), (error: Error) => {
    assert.ok(
      error.message.includes(`the setting mcpServerJupyter.pythonPath (${absent}) does not exist or holds no Python`),
    );
    assert.match(error.message, /Correct the setting or clear it/);
    return true;
  });
});

test("a file that may not be executed is refused with that reason", posixOnly, async () => {
  const file = join(temporaryFolder(), "python");
  writeFileSync(file, "no program");
  await assert.rejects(findInterpreter(candidatesIn([], file), asking()), /may not be executed/);
});

test("modules on PYTHONPATH cannot answer for the interpreter", async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "json.py"), "raise SystemExit('hijacked')");
  const env = { ...process.env, PYTHONPATH: folder, PYTHONHOME: folder };
  const found = await findInterpreter(candidatesIn([], python), { ...asking(), env });
  assert.equal(found.source, "setting");
});
