// What tests use of the machine: a real Python, temporary folders that go away, and the values the code wants passed in.
import { mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { isAlive } from "../environment/lock.ts";
import { listCandidates } from "../python/candidates.ts";
import type { Preparing } from "../environment/prepare.ts";
import { run } from "../process/run.ts";
import { findInterpreter, look } from "../python/discover.ts";
import type { Interpreter } from "../python/interpreter.ts";

/** A folder that is removed when the test file is done. Its name has a space and letters beyond ASCII, always. */
export function temporaryFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "prüf stand ")));
  after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

/** The Python on PATH that the extension itself would choose. */
export const interpreter: Interpreter = await findInterpreter(
  listCandidates({
    platform: process.platform,
    searchPath: process.env["PATH"] ?? "",
    homeFolder: homedir(),
    workspaceFolder: undefined,
    setting: "",
    pythonExtension: undefined,
    look,
  }),
  { run, cwd: tmpdir(), env: process.env },
);

export const python = interpreter.executable;

/** What preparing an environment is given, with what it said kept for the test to read. */
export function preparing(environments: string, changes: Partial<Preparing> = {}): Preparing & { said: string[] } {
  const said: string[] = [];
  return {
    environments,
    run,
    env: process.env,
    platform: process.platform,
    now: () => new Date(),
    log: (line) => said.push(line),
    progress: (message) => said.push(message),
    lockTimes: { pollMs: 10, heartbeatMs: 20, staleMs: 20_000 },
    repair: false,
    said,
    ...changes,
  };
}

/** Whether a process runs. One that has ended and was not yet collected by its parent does not. */
export function isRunning(pid: number): boolean {
  if (!isAlive(pid)) return false;
  if (process.platform !== "linux") return true;
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}
