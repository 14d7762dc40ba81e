// The one place that starts processes. A process started here is the head of its own group, so that cancelling ends
// it together with everything it started.
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { Cancelled, throwIfCancelled } from "../failure.ts";

export interface Command {
  /** An absolute path. Names are never looked up here, because Windows would look in the working folder first. */
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** The whole environment of the process. */
  readonly env: NodeJS.ProcessEnv;
}

export interface RunOptions {
  /** Ends the process and everything it started; `run` then throws `Cancelled`. */
  readonly signal?: AbortSignal | undefined;
  /** Ends the process after so many milliseconds; the outcome then says `timedOut`. */
  readonly timeoutMs?: number;
  /** Called for each line of both streams as it arrives. */
  readonly onLine?: (line: string) => void;
}

export interface Outcome {
  /** The exit code, or undefined when a signal ended the process. */
  readonly code: number | undefined;
  readonly timedOut: boolean;
  /** The last part of each stream, at most `keptCharacters` long. */
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts a command and waits for its end. Rejects when it cannot be started, and with `Cancelled`. */
export type Run = (command: Command, options?: RunOptions) => Promise<Outcome>;

const keptCharacters = 256 * 1024;
const graceMs = 3000;

export const run: Run = async (command, options = {}) => {
  throwIfCancelled(options.signal);
  const child = spawn(command.file, command.args, {
    cwd: command.cwd,
    env: command.env,
    stdio: ["ignore", "pipe", "pipe"],
    detached: process.platform !== "win32",
    windowsHide: true,
  });
  const stdout = collect(child.stdout, options.onLine);
  const stderr = collect(child.stderr, options.onLine);

  let timedOut = false;
  const endings: Array<() => void> = [];
  const end = () => endings.push(endTree(child));
  const timer =
    options.timeoutMs === undefined
      ? undefined
      : setTimeout(() => {
          timedOut = true;
          end();
        }, options.timeoutMs);
  options.signal?.addEventListener("abort", end, { once: true });
  try {
    const code = await new Promise<number | undefined>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (exitCode) => resolve(exitCode ?? undefined));
    });
    if (options.signal?.aborted) throw new Cancelled();
    return { code, timedOut, stdout: stdout(), stderr: stderr() };
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener("abort", end);
    for (const stop of endings) stop();
  }
};

/** Keeps the tail of a stream and passes its lines on. */
function collect(stream: Readable, onLine: ((line: string) => void) | undefined): () => string {
  let text = "";
  stream.setEncoding("utf8");
  stream.on("data", (chunk: string) => {
    text = (text + chunk).slice(-keptCharacters);
  });
  if (onLine) createInterface({ input: stream, crlfDelay: Infinity }).on("line", onLine);
  return () => text;
}

/**
 * Ends a process and its descendants: politely first, by force after a short grace. Returns a function that calls the
 * second step off.
 */
function endTree(child: ChildProcess): () => void {
  const pid = child.pid;
  if (pid === undefined) return () => {};
  if (process.platform === "win32") {
    // Windows has no groups to signal; its own tool walks the tree of descendants.
    const taskkill = `${process.env["SystemRoot"] ?? "C:\\Windows"}\\System32\\taskkill.exe`;
    spawn(taskkill, ["/pid", String(pid), "/t", "/f"], { stdio: "ignore", windowsHide: true }).on("error", () =>
      child.kill(),
    );
    return () => {};
  }
  signalGroup(pid, "SIGTERM");
  const timer = setTimeout(() => signalGroup(pid, "SIGKILL"), graceMs);
  return () => {
    clearTimeout(timer);
    // The head may have ended politely while something it started still runs.
    signalGroup(pid, "SIGKILL");
  };
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // The group has ended already, which is what was wanted.
  }
}
