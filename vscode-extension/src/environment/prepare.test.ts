// Real environments: each test runs the real Python, its venv and its pip, with wheels made on the spot.
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { appendFileSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Cancelled } from "../failure.ts";
import { makeBundle, makeVerifiedBundle } from "../testing/bundles.ts";
import { interpreter, preparing, temporaryFolder } from "../testing/machine.ts";
import { inspectEnvironment } from "./inspect.ts";
import { markerName, pythonIn, scriptIn } from "./layout.ts";
import { prepareEnvironment, removeOldEnvironments } from "./prepare.ts";
import { listEnvironments } from "./store.ts";

const { platform } = process;

/** The names of all environments, finished or not. */
function names(environments: string): string[] {
  return existsSync(environments) ? readdirSync(environments).filter((name) => name !== "lock") : [];
}

async function onlyEnvironment(environments: string) {
  const all = await listEnvironments(environments);
  assert.equal(all.length, 1, `expected one environment, found ${all.map(({ folder }) => folder).join(", ")}`);
  assert.ok(all[0]?.marker);
  return all[0];
}

// Four at a time: each one keeps a core busy, and more at once only run into the time limits of a loaded machine.
suite("prepare", { concurrency: 4 }, () => {
  test("first start installs, second start reuses, repair makes a new one", async () => {
    const parent = temporaryFolder();
    const environments = join(parent, "environments");
    const bundle = await makeVerifiedBundle(parent);
    const first = await prepareEnvironment(bundle, interpreter, preparing(environments));
    const script = scriptIn(first.folder, "tiny-server", platform);
    assert.equal(execFileSync(script, ["--version"], { encoding: "utf8" }).trim(), "tiny-server 1.2.3");
    assert.equal(first.marker.wheelSha256, bundle.manifest.wheel.sha256);

    const again = preparing(environments);
    assert.equal((await prepareEnvironment(bundle, interpreter, again)).folder, first.folder);
    assert.deepEqual(again.said, [], "a second start has nothing to say");

    const repaired = await prepareEnvironment(bundle, interpreter, preparing(environments, { repair: true }));
    assert.notEqual(repaired.folder, first.folder);
    assert.deepEqual(await onlyEnvironment(environments).then(({ folder }) => folder), repaired.folder);
  });

  test("an environment whose server was changed is replaced, never run", async () => {
    const parent = temporaryFolder();
    const environments = join(parent, "environments");
    const bundle = await makeVerifiedBundle(parent);
    const first = await prepareEnvironment(bundle, interpreter, preparing(environments));
    const module = execFileSync(
      pythonIn(first.folder, platform),
      ["-I", "-c", "import tiny_server; print(tiny_server.__file__)"],
      { encoding: "utf8" },
    ).trim();
    const inspecting = { run: preparing("").run, env: process.env, platform };

    appendFileSync(module, "# changed\n");
    assert.match((await inspectEnvironment(first.folder, bundle, inspecting)).join(), /^changed after installation: /);
    writeFileSync(join(module, "..", "extra.py"), "");
    assert.match(
      (await inspectEnvironment(first.folder, bundle, inspecting)).join(),
      /not from the wheel: .*extra\.py/,
    );
    const script = scriptIn(first.folder, "tiny-server", platform);
    renameSync(script, `${script}.aside`);
    assert.match((await inspectEnvironment(first.folder, bundle, inspecting)).join(), /missing: .*tiny-server/);
    renameSync(`${script}.aside`, script);
    rmSync(module);
    assert.match((await inspectEnvironment(first.folder, bundle, inspecting)).join(), /missing: .*__init__\.py/);

    const second = preparing(environments);
    const replaced = await prepareEnvironment(bundle, interpreter, second);
    assert.notEqual(replaced.folder, first.folder);
    assert.ok(second.said.some((line) => line.startsWith(`Not using ${first.folder}: `)));
    assert.deepEqual(await inspectEnvironment(replaced.folder, bundle, inspecting), []);
    await onlyEnvironment(environments);
  });

  test("an environment whose Python is gone is reported, not an exception", async () => {
    const parent = temporaryFolder();
    const inspecting = { run: preparing("").run, env: process.env, platform };
    const problems = await inspectEnvironment(parent, await makeVerifiedBundle(parent), inspecting);
    assert.deepEqual(problems, ["its Python does not start any more"]);
  });

  test("another wheel gets another environment, and the old one is removed", async () => {
    const [parent, next] = [temporaryFolder(), temporaryFolder()];
    const environments = join(parent, "environments");
    const old = await prepareEnvironment(await makeVerifiedBundle(parent), interpreter, preparing(environments));
    const updated = await makeVerifiedBundle(next, { version: "1.3.0" });
    const fresh = await prepareEnvironment(updated, interpreter, preparing(environments));
    assert.ok(!existsSync(old.folder));
    assert.equal((await onlyEnvironment(environments)).folder, fresh.folder);
    await removeOldEnvironments(updated, preparing(environments));
    assert.ok(existsSync(join(fresh.folder, markerName)));
  });

  const failures: ReadonlyArray<readonly [string, Parameters<typeof makeBundle>[1], RegExp]> = [
    [
      "a requirement with another sha256 than the lock",
      { lockedSha256: "0".repeat(64) },
      /does not have the sha256 that the extension's lock names/,
    ],
    ["a requirement that cannot be found", { dependency: "absent" }, /no wheel for this Python/],
    [
      "a server that does not start",
      { main: "def main():\n    raise SystemExit('no screen')\n" },
      /tiny-server(\.exe)? --version ended with 1 and said: no screen/,
    ],
    [
      "a server of another version",
      { main: "def main():\n    print('tiny-server 9.9.9')\n" },
      /--version ended with 0 and said: tiny-server 9\.9\.9/,
    ],
  ];
  for (const [what, server, message] of failures) {
    test(`${what} fails and leaves nothing`, async () => {
      const parent = temporaryFolder();
      const environments = join(parent, "environments");
      const bundle = await makeVerifiedBundle(parent, server);
      await assert.rejects(prepareEnvironment(bundle, interpreter, preparing(environments)), message);
      assert.deepEqual(readdirSync(environments), []);
    });
  }

  test("a wheel that is exchanged after it was verified is refused by pip", async () => {
    const parent = temporaryFolder();
    const bundle = await makeVerifiedBundle(parent);
    const other = await makeVerifiedBundle(temporaryFolder(), {
      main: "def main():\n    print('tiny-server 1.2.3')\n",
    });
    writeFileSync(bundle.wheelPath, readFileSync(other.wheelPath));
    const environments = join(parent, "environments");
    await assert.rejects(
      prepareEnvironment(bundle, interpreter, preparing(environments)),
      /Installing the bundled wheel .* failed: .*sha256/,
    );
    assert.deepEqual(readdirSync(environments), []);
  });

  for (const moment of [/^creating an environment/, /^\$ .* -r /, /^verifying$/]) {
    test(`cancelled at ${moment.source}, nothing is left`, async () => {
      const parent = temporaryFolder();
      const environments = join(parent, "environments");
      const abort = new AbortController();
      const cancel = (line: string) => {
        if (moment.test(line)) abort.abort();
      };
      const cancelled = preparing(environments, { signal: abort.signal, log: cancel, progress: cancel });
      await assert.rejects(prepareEnvironment(await makeVerifiedBundle(parent), interpreter, cancelled), Cancelled);
      assert.deepEqual(readdirSync(environments), []);
    });
  }

  test("two windows at once make one environment", async () => {
    const parent = temporaryFolder();
    const environments = join(parent, "environments");
    const bundleFolder = makeBundle(parent);
    const windows = [startWindow(bundleFolder, environments), startWindow(bundleFolder, environments)];
    const [one, other] = await Promise.all(windows.map((window) => window.ended));
    assert.equal(one?.at(-1), other?.at(-1));
    const { folder } = await onlyEnvironment(environments);
    assert.equal(one?.at(-1), `READY ${folder}`);
    const installs = [...(one ?? []), ...(other ?? [])].filter((line) => line.startsWith("creating an environment"));
    assert.equal(installs.length, 1);
  });

  for (const moment of [/^creating an environment/, /^installing 1 packages/, /^verifying$/]) {
    test(`killed at ${moment.source}, the next window starts afresh`, async () => {
      const parent = temporaryFolder();
      const environments = join(parent, "environments");
      const bundleFolder = makeBundle(parent);
      const killed = startWindow(bundleFolder, environments, (line, child) => {
        if (moment.test(line)) child.kill("SIGKILL");
      });
      const said = await killed.ended;
      assert.ok(!said.some((line) => line.startsWith("READY")));
      const [unfinished] = names(environments);
      const bundle = await makeVerifiedBundle(parent);
      const ready = await prepareEnvironment(bundle, interpreter, preparing(environments));
      assert.notEqual(ready.folder, unfinished && join(environments, unfinished));
      // What the killed window had started may have written once more; the next quiet moment takes that away too.
      await removeOldEnvironments(bundle, preparing(environments));
      assert.equal((await onlyEnvironment(environments)).folder, ready.folder);
    });
  }
});

/** Prepares in a process of its own, as a second editor window does. */
function startWindow(
  bundleFolder: string,
  environments: string,
  onLine: (line: string, child: ChildProcess) => void = () => {},
): { ended: Promise<string[]> } {
  const program = fileURLToPath(new URL("../testing/prepareProcess.ts", import.meta.url));
  const child = spawn(process.execPath, [program, bundleFolder, environments], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const said: string[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => {
    said.push(line);
    onLine(line, child);
  });
  return { ended: new Promise((resolve) => child.on("close", () => resolve(said))) };
}
