// Makes one environment in a fresh folder. It is complete when its marker is written, which is the last thing done;
// whatever goes wrong before, the folder is removed again.
import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { VerifiedBundle } from "../bundle/bundle.ts";
import { Cancelled, errorCode, Failure, reasonOf } from "../failure.ts";
import { pipEnvironment, pythonEnvironment, withoutCredentials } from "../process/environment.ts";
import type { Outcome, Run } from "../process/run.ts";
import type { Interpreter } from "../python/interpreter.ts";
import { askServerVersion, inspectEnvironment } from "./inspect.ts";
import { attemptName, environmentKey, pythonIn } from "./layout.ts";
import { makeMarker } from "./marker.ts";
import {
  checkArguments,
  countRequirements,
  explainPipFailure,
  packageInProgress,
  requirementsArguments,
  wheelArguments,
} from "./pip.ts";
import { type CompleteEnvironment, removeEnvironment, writeMarker } from "./store.ts";

/** What installing needs of the world. */
export interface Installing {
  /** The folder that holds all environments. */
  readonly environments: string;
  readonly run: Run;
  readonly env: NodeJS.ProcessEnv;
  readonly platform: NodeJS.Platform;
  readonly now: () => Date;
  readonly log: (line: string) => void;
  /** Says what is being done, and how far it is: 0 to 100 in all. */
  readonly progress: (message: string, percent: number) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Installs the bundle and returns the complete environment. Call it only under the lock. */
export async function installEnvironment(
  bundle: VerifiedBundle,
  interpreter: Interpreter,
  installing: Installing,
): Promise<CompleteEnvironment> {
  const name = attemptName(environmentKey(bundle.manifest, interpreter), randomBytes(4).toString("hex"));
  const folder = join(installing.environments, name);
  try {
    await makeFolder(folder);
    await createVirtualEnvironment(folder, interpreter, installing);
    await installRequirements(folder, bundle, installing);
    await installWheel(folder, bundle, installing);
    await proveInstalled(folder, bundle, installing);
    const marker = makeMarker(bundle.manifest, interpreter, installing.now());
    await writeMarker(folder, marker);
    return { folder, marker };
  } catch (error) {
    const problem = await removeEnvironment(folder);
    if (problem !== undefined) installing.log(`Could not remove ${folder} yet: ${problem}`);
    throw asFailure(error, folder);
  }
}

async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
}

async function createVirtualEnvironment(
  folder: string,
  interpreter: Interpreter,
  installing: Installing,
): Promise<void> {
  installing.progress(`creating an environment with Python ${interpreter.version.join(".")}`, 0);
  const outcome = await runLogged(
    interpreter.executable,
    ["-X", "utf8", "-I", "-m", "venv", folder],
    folder,
    pythonEnvironment(installing.env),
    installing,
  );
  if (outcome.code === 0) return;
  const words = `${outcome.stdout}\n${outcome.stderr}`.trim().split(/\r?\n/).slice(-3).join(" ").slice(-500);
  throw new Failure(
    `${interpreter.executable} could not create a virtual environment in ${folder}: ${words || "it gave no reason"}.`,
    "Select another interpreter, or read the log for the whole output.",
    ["selectInterpreter", "showLog", "retry"],
  );
}

async function installRequirements(folder: string, bundle: VerifiedBundle, installing: Installing): Promise<void> {
  const total = countRequirements(bundle.requirements);
  const [from, to] = [15, 80];
  let done = 0;
  installing.progress(`installing ${total} packages`, from);
  const onLine = (line: string) => {
    const name = packageInProgress(line);
    if (name === undefined) return;
    done += 1;
    installing.progress(
      `${name} (${done} of ${total})`,
      from + ((to - from) * Math.min(done, total)) / Math.max(total, 1),
    );
  };
  await runPip("the server's requirements", folder, requirementsArguments(bundle.requirementsPath), installing, onLine);
}

async function installWheel(
  folder: string,
  { manifest, wheelPath }: VerifiedBundle,
  installing: Installing,
): Promise<void> {
  installing.progress(`${manifest.name} ${manifest.version}`, 85);
  const args = wheelArguments(pathToFileURL(wheelPath).href, manifest.wheel.sha256);
  await runPip(`the bundled wheel ${manifest.wheel.file}`, folder, args, installing);
}

async function proveInstalled(folder: string, bundle: VerifiedBundle, installing: Installing): Promise<void> {
  installing.progress("verifying", 90);
  const check = await runLogged(
    pythonIn(folder, installing.platform),
    checkArguments,
    folder,
    pipEnvironment(installing.env),
    installing,
  );
  if (check.code !== 0) {
    throw new Failure(
      `The requirements of the bundle do not fit together: ${check.stdout.trim() || check.stderr.trim()}.`,
      "Report this to the extension's publisher.",
    );
  }
  const problems = await inspectEnvironment(folder, bundle, installing);
  if (problems.length > 0) {
    throw new Failure(
      `What was installed is not the bundled wheel: ${problems.slice(0, 3).join("; ")}.`,
      "Try again; if the message comes back, look for software that changes files while they are installed.",
      ["retry", "showLog"],
    );
  }
  installing.log(`The server answers: ${await askServerVersion(folder, bundle, installing)}`);
}

async function runPip(
  step: string,
  folder: string,
  args: readonly string[],
  installing: Installing,
  onLine?: (line: string) => void,
): Promise<void> {
  const python = pythonIn(folder, installing.platform);
  const outcome = await runLogged(python, args, folder, pipEnvironment(installing.env), installing, onLine);
  if (outcome.code !== 0) throw explainPipFailure(step, `${outcome.stdout}\n${outcome.stderr}`, outcome.code);
}

async function runLogged(
  file: string,
  args: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv,
  { run, log, signal }: Installing,
  onLine?: (line: string) => void,
): Promise<Outcome> {
  log(`$ ${[file, ...args].map(quote).join(" ")}`);
  return run(
    { file, args, cwd, env },
    {
      signal,
      onLine: (line) => {
        log(withoutCredentials(line));
        onLine?.(line);
      },
    },
  );
}

function quote(word: string): string {
  return /^[\w@%+=:,./\\#-]+$/.test(word) ? word : JSON.stringify(word);
}

/** Adds the place and the remedy to what the file system says. */
function asFailure(error: unknown, folder: string): unknown {
  if (error instanceof Failure || error instanceof Cancelled) return error;
  const next: Record<string, string> = {
    ENOSPC: "The disk is full: free some space and try again.",
    EROFS: "The folder is read-only: make the editor's storage folder writable and try again.",
    EACCES: "The folder may not be written: correct its permissions and try again.",
    ENOENT: "A file disappeared while it was needed: try again, or select another interpreter.",
  };
  return new Failure(
    `Could not make the environment ${folder}: ${reasonOf(error)}.`,
    next[errorCode(error) ?? ""] ?? "Try again, and read the log if it comes back.",
    ["retry", "showLog", "selectInterpreter"],
    { cause: error },
  );
}
