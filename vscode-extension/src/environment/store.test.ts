import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { BundleManifest } from "../bundle/manifest.ts";
import type { Interpreter } from "../python/interpreter.ts";
import { temporaryFolder } from "../testing/machine.ts";
import { attemptName, environmentKey, inUseFolderName, keyOf, pythonIn, scriptIn } from "./layout.ts";
import { makeMarker, type Marker, parseMarker } from "./marker.ts";
import {
  chooseEnvironment,
  chooseRemovals,
  cleanUp,
  listEnvironments,
  readMarker,
  type StoredEnvironment,
  writeMarker,
} from "./store.ts";
import { isUsedElsewhere, markInUse, unmarkInUse } from "./usage.ts";

const manifest: BundleManifest = {
  name: "tiny-server",
  version: "1.2.3",
  commit: "c".repeat(40),
  dirty: false,
  consoleScript: "tiny-server",
  wheel: { file: "tiny_server-1.2.3-py3-none-any.whl", size: 1, sha256: "a".repeat(64) },
  requirements: { file: "requirements.txt", size: 1, sha256: "b".repeat(64) },
};
const interpreter: Interpreter = {
  source: "path",
  executable: "/usr/bin/python3",
  version: [3, 11, 4],
  implementation: "cpython",
};
const key = environmentKey(manifest, interpreter);

function marker(changes: Partial<Marker> = {}): Marker {
  return { ...makeMarker(manifest, interpreter, new Date("2026-01-02T03:04:05Z")), ...changes };
}

function stored(name: string, found: Marker | undefined, otherKey = key): StoredEnvironment {
  return { folder: name, key: otherKey, marker: found };
}

test("the key names wheel, requirements and Python, and each makes another key", () => {
  assert.equal(key, `${"a".repeat(16)}-${"b".repeat(8)}-cpython311`);
  const others = [
    environmentKey({ ...manifest, wheel: { ...manifest.wheel, sha256: "d".repeat(64) } }, interpreter),
    environmentKey({ ...manifest, requirements: { ...manifest.requirements, sha256: "d".repeat(64) } }, interpreter),
    environmentKey(manifest, { ...interpreter, version: [3, 12, 4] }),
    environmentKey(manifest, { ...interpreter, implementation: "pypy" }),
  ];
  assert.equal(new Set([key, ...others]).size, 5);
  assert.equal(environmentKey(manifest, { ...interpreter, version: [3, 11, 9] }), key, "a patch release keeps it");
});

test("folder names give their key back, and other names do not count", () => {
  assert.equal(keyOf(attemptName(key, "0f0f")), key);
  for (const name of ["lock", key, `${key}.`, `x${key}.1`, `${key}.1/..`]) assert.equal(keyOf(name), undefined, name);
});

test("places inside an environment follow the platform", () => {
  assert.equal(pythonIn("/e", "linux"), "/e/bin/python");
  assert.equal(scriptIn("/e", "tiny", "darwin"), "/e/bin/tiny");
  assert.equal(pythonIn("C:\\e", "win32"), "C:\\e\\Scripts\\python.exe");
  assert.equal(scriptIn("C:\\e", "tiny", "win32"), "C:\\e\\Scripts\\tiny.exe");
});

test("a marker is read back as written, and anything less than one is none", async () => {
  const folder = temporaryFolder();
  await writeMarker(folder, marker());
  assert.deepEqual(await readMarker(folder), marker());
  const text = JSON.stringify(marker());
  for (const half of ["", text.slice(0, -1), "[]", "null", text.replace('"schema":1', '"schema":2'), '{"schema":1}']) {
    assert.equal(parseMarker(half), undefined, half);
  }
});

test("the newest complete environment of the key is chosen, and whole digests decide", () => {
  const sameKeyOtherWheel = marker({ wheelSha256: "a".repeat(63) + "0", createdAt: "2027-01-01T00:00:00.000Z" });
  const environments = [
    stored("old", marker()),
    stored("new", marker({ createdAt: "2026-05-01T00:00:00.000Z" })),
    stored("unfinished", undefined),
    stored("lookalike", sameKeyOtherWheel),
    stored("other Python", marker({ createdAt: "2028-01-01T00:00:00.000Z" }), `${key}x`),
  ];
  assert.equal(chooseEnvironment(environments, key, manifest)?.folder, "new");
  assert.equal(chooseEnvironment([], key, manifest), undefined);
  assert.deepEqual(
    chooseRemovals(environments, manifest).map(({ folder }) => folder),
    ["old", "unfinished", "lookalike"],
  );
});

test("cleaning up removes what is old or unfinished, keeps what is used or not ours", async () => {
  const environments = temporaryFolder();
  const place = (name: string) => join(environments, name);
  const other = marker({ wheelSha256: "e".repeat(64) });
  const otherKey = `${"e".repeat(16)}-${"b".repeat(8)}-cpython311`;
  const folders: Array<[string, Marker | undefined]> = [
    [`${key}.1`, marker()],
    [`${key}.2`, undefined],
    [`${otherKey}.1`, other],
    [`${otherKey}.2`, other],
    ["somebody else's", undefined],
  ];
  for (const [name, content] of folders) {
    mkdirSync(join(place(name), "lib", "deep"), { recursive: true });
    if (content) await writeMarker(place(name), content);
  }
  // The parent of this process is another living process.
  const usedBy = join(place(`${otherKey}.2`), inUseFolderName);
  mkdirSync(usedBy);
  writeFileSync(join(usedBy, "window.json"), JSON.stringify({ process: process.ppid, host: hostname() }));

  const said: string[] = [];
  await cleanUp(environments, manifest, (line) => said.push(line));
  assert.deepEqual(readdirSync(environments).toSorted(), [`${key}.1`, `${otherKey}.2`, "somebody else's"].toSorted());
  assert.ok(said.some((line) => line.startsWith(`Kept ${place(`${otherKey}.2`)}`)));
});

test("a folder of environments that does not exist holds none", async () => {
  assert.deepEqual(await listEnvironments(join(temporaryFolder(), "absent")), []);
});

test("use is noted once a process, taken back, and never holds for the dead", async () => {
  const environment = temporaryFolder();
  await markInUse(environment);
  await markInUse(environment);
  const folder = join(environment, inUseFolderName);
  assert.equal(readdirSync(folder).length, 1);
  assert.equal(await isUsedElsewhere(environment), false, "this process does not count as elsewhere");
  writeFileSync(join(folder, "dead.json"), JSON.stringify({ process: 2 ** 30, host: hostname() }));
  writeFileSync(join(folder, "broken.json"), "{");
  assert.equal(await isUsedElsewhere(environment), false);
  writeFileSync(join(folder, "far.json"), JSON.stringify({ process: 2 ** 30, host: "far away" }));
  assert.equal(await isUsedElsewhere(environment), true);
  await unmarkInUse(environment);
  assert.ok(!existsSync(join(folder, `${hostname()}-${process.pid}.json`)));
});
