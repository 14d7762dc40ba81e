// Asks candidates one after another until one fits. A refusal is kept with its reason, so that the failure can list
// everything that was tried.
import { lstatSync, statSync } from "node:fs";
import { Cancelled, errorCode, Failure, reasonOf } from "../failure.ts";
import { pythonEnvironment } from "../process/environment.ts";
import type { Run } from "../process/run.ts";
import {
  type Candidate,
  type Interpreter,
  judgeProbe,
  oldestVersion,
  probeScript,
  type Refusal,
} from "./interpreter.ts";

/** What asking needs of the world. */
export interface Asking {
  readonly run: Run;
  /** A folder in which nothing can shadow a module of the standard library; never the workspace. */
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal | undefined;
}

const probeTimeoutMs = 30_000;

/** The first candidate that fits, or a `Failure` that lists each one with the reason it was refused. */
export async function findInterpreter(candidates: readonly Candidate[], asking: Asking): Promise<Interpreter> {
  const refusals: Refusal[] = [];
  for (const candidate of candidates) {
    const answer = await ask(candidate, asking);
    if (typeof answer !== "string") return answer;
    refusals.push({ candidate, reason: answer });
  }
  throw new Failure(describeRefusals(refusals), whatToDo(refusals), ["selectInterpreter", "showLog"]);
}

/** Asks one candidate: an interpreter, or why it is refused. */
export async function ask(candidate: Candidate, { run, cwd, env, signal }: Asking): Promise<Interpreter | string> {
  if (candidate.file === undefined) {
    return candidate.source === "path" ? "is not on PATH" : "does not exist or holds no Python";
  }
  try {
    const outcome = await run(
      {
        file: candidate.file,
        args: [...candidate.args, "-E", "-s", "-c", probeScript],
        cwd,
        env: pythonEnvironment(env),
      },
      { signal, timeoutMs: probeTimeoutMs },
    );
    if (outcome.timedOut) return `did not answer within ${probeTimeoutMs / 1000} seconds`;
    if (outcome.code !== 0) {
      const words = lastLine(outcome.stderr) || lastLine(outcome.stdout);
      return `ended with ${outcome.code ?? "a signal"}${words === "" ? "" : `: ${words}`}`;
    }
    return judgeProbe(candidate, outcome.stdout);
  } catch (error) {
    if (error instanceof Cancelled) throw error;
    return errorCode(error) === "EACCES" ? "may not be executed" : `could not be started: ${reasonOf(error)}`;
  }
}

/** Looks at a path for `SearchInput.look`. */
export function look(path: string): "file" | "folder" | "nothing" {
  try {
    return statSync(path).isDirectory() ? "folder" : "file";
  } catch {
    // The Python of the Windows store is a link that can be run and looked at, but not followed.
    return process.platform === "win32" && lstatSync(path, { throwIfNoEntry: false }) ? "file" : "nothing";
  }
}

function describeRefusals(refusals: readonly Refusal[]): string {
  const oldest = oldestVersion.join(".");
  // Names that are simply absent say the same thing many times; they go into one line.
  const absent = refusals.filter(({ candidate }) => candidate.source === "path" && candidate.file === undefined);
  const lines = refusals
    .filter((refusal) => !absent.includes(refusal))
    .map(({ candidate, reason }) => `${originOf(candidate)} ${reason}`);
  if (absent.length > 0) lines.push(`not on PATH: ${absent.map(({ candidate }) => candidate.label).join(", ")}`);
  return `No Python ${oldest} or newer was found. Tried: ${lines.join("; ")}.`;
}

function originOf({ source, label, file }: Candidate): string {
  switch (source) {
    case "setting":
      return `the setting mcpServerJupyter.pythonPath (${label})`;
    case "pythonExtension":
      return `the Python extension's choice (${label})`;
    case "path":
      return `${label} on PATH (${file})`;
  }
}

function whatToDo(refusals: readonly Refusal[]): string {
  return refusals.some(({ candidate }) => candidate.source === "setting")
    ? "Correct the setting or clear it, so that the Python extension's choice and PATH are tried."
    : `Install Python ${oldestVersion.join(".")} or newer, or select an interpreter you already have.`;
}

function lastLine(text: string): string {
  return text.trim().split(/\r?\n/).at(-1)?.trim() ?? "";
}
