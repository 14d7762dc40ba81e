import assert from "node:assert/strict";
import { test } from "node:test";
import { type Candidate, judgeProbe } from "./interpreter.ts";

const candidate: Candidate = { source: "path", label: "python3", file: "/usr/bin/python3", args: [] };
const good = {
  version: [3, 11, 4],
  executable: "/usr/bin/python3",
  implementation: "cpython",
  venv: true,
  ensurepip: true,
  platform: "linux",
};

test("a fitting Python is accepted, whatever its start-up files print first", () => {
  assert.deepEqual(judgeProbe(candidate, `welcome!\n${JSON.stringify(good)}\n`), {
    source: "path",
    executable: "/usr/bin/python3",
    version: [3, 11, 4],
    implementation: "cpython",
  });
});

const refused: ReadonlyArray<readonly [string, string, RegExp]> = [
  [
    "an older minor",
    JSON.stringify({ ...good, version: [3, 9, 18] }),
    /^is Python 3\.9\.18, and 3\.10 or newer is needed$/,
  ],
  ["Python 2", JSON.stringify({ ...good, version: [2, 7, 18] }), /^is Python 2\.7\.18/],
  ["Python 4", JSON.stringify({ ...good, version: [4, 0, 0] }), /^is Python 4\.0\.0/],
  [
    "no venv",
    JSON.stringify({ ...good, venv: false }),
    /venv is missing \(on Debian and Ubuntu: apt install python3\.11-venv\)/,
  ],
  ["no ensurepip", JSON.stringify({ ...good, ensurepip: false, platform: "darwin" }), /ensurepip is missing$/],
  ["no path of its own", JSON.stringify({ ...good, executable: null }), /sys\.executable is empty/],
  ["nothing", "", /did not answer like a Python/],
  ["something else", "v22.1.0", /did not answer like a Python/],
  ["half an answer", '{"version": [3, 11', /did not answer like a Python/],
  ["a strange version", JSON.stringify({ ...good, version: "3.11" }), /did not answer like a Python/],
  ["a strange implementation", JSON.stringify({ ...good, implementation: "../x" }), /did not answer like a Python/],
];

for (const [what, stdout, reason] of refused) {
  test(`refused: ${what}`, () => {
    const answer = judgeProbe(candidate, stdout);
    assert.ok(typeof answer === "string");
    assert.match(answer, reason);
  });
}
