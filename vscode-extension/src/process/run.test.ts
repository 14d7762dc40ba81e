import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { Cancelled } from "../failure.ts";
import { isRunning, temporaryFolder } from "../testing/machine.ts";
import { pipEnvironment, pythonEnvironment, withoutCredentials } from "./environment.ts";
import { run } from "./run.ts";

const node = (script: string) => ({
  file: process.execPath,
  args: ["-e", script],
  cwd: temporaryFolder(),
  env: process.env,
});

test("code, both streams and lines are reported", async () => {
  const lines: string[] = [];
  const outcome = await run(node("console.log('eins\\nzwei'); console.error('drei'); process.exitCode = 7"), {
    onLine: (line) => lines.push(line),
  });
  assert.deepEqual(outcome, { code: 7, timedOut: false, stdout: "eins\nzwei\n", stderr: "drei\n" });
  assert.deepEqual(lines.toSorted(), ["drei", "eins", "zwei"]);
});

test("a file that does not exist is an error with its code", async () => {
  await assert.rejects(run({ ...node(""), file: join(temporaryFolder(), "nothing") }), { code: "ENOENT" });
});

// A process that ignores a polite end, and a child of it that does so too; both print their ids.
const stubborn = `
  process.on("SIGTERM", () => {});
  const child = require("node:child_process").spawn(process.execPath,
    ["-e", 'process.on("SIGTERM", () => {}); console.log(process.pid); setInterval(() => {}, 1000)'],
    { stdio: "inherit" });
  console.log(process.pid);
  setInterval(() => {}, 1000);
`;

test("cancelling ends the whole tree, even what ignores a polite end", async () => {
  const abort = new AbortController();
  const processes: number[] = [];
  const running = run(node(stubborn), {
    signal: abort.signal,
    onLine: (line) => {
      processes.push(Number(line));
      if (processes.length === 2) abort.abort();
    },
  });
  await assert.rejects(running, Cancelled);
  assert.equal(processes.length, 2);
  assert.deepEqual(processes.filter(isRunning), []);
});

test("a signal raised before the start starts nothing", async () => {
  await assert.rejects(run(node(""), { signal: AbortSignal.abort() }), Cancelled);
});

test("a process that takes too long is ended and reported", async () => {
  const outcome = await run(node("setInterval(() => {}, 1000)"), { timeoutMs: 50 });
  assert.equal(outcome.timedOut, true);
});

test("only the end of a very long output is kept", async () => {
  const outcome = await run(node("process.stdout.write('x'.repeat(1 << 20) + 'end')"));
  assert.equal(outcome.stdout.length, 256 * 1024);
  assert.ok(outcome.stdout.endsWith("xend"));
});

test("variables that redirect Python or pip are removed in any case, others stay", () => {
  const env = {
    PATH: "/bin",
    PythonPath: "/evil",
    PYTHONHOME: "/evil",
    Pip_User: "1",
    PIP_TARGET: "x",
    PIP_INDEX_URL: "y",
  };
  assert.deepEqual(pythonEnvironment(env), { PATH: "/bin", Pip_User: "1", PIP_TARGET: "x", PIP_INDEX_URL: "y" });
  assert.deepEqual(pipEnvironment(env), { PATH: "/bin", PIP_INDEX_URL: "y" });
});

test("credentials in a URL never reach the log", () => {
  assert.equal(
    withoutCredentials("Looking in indexes: https://user:secret@index.example/simple, https://plain.example"),
    "Looking in indexes: https://***@index.example/simple, https://plain.example",
  );
});
