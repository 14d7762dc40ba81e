// One lock file that keeps two editor windows from installing the same environment twice.
//
// Correctness never rests on it: each install fills a folder of its own, and only a complete one is used. So the rare
// cases in which a file cannot be a perfect lock cost a second download and nothing more.
import { randomUUID } from "node:crypto";
import { mkdir, open, readFile, rename, rm, stat, utimes } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { Cancelled, errorCode, throwIfCancelled } from "../failure.ts";

export interface LockTimes {
  /** How often a waiting window looks again, in milliseconds. */
  readonly pollMs: number;
  /** How often the owner shows that it is alive. */
  readonly heartbeatMs: number;
  /** After how long without a sign of life, as seen by the one that waits, the owner counts as gone. */
  readonly staleMs: number;
}

export const usualLockTimes: LockTimes = { pollMs: 250, heartbeatMs: 2000, staleMs: 20_000 };

export interface LockRequest {
  readonly path: string;
  readonly times: LockTimes;
  readonly signal?: AbortSignal | undefined;
  /** Called once when another window holds the lock. */
  readonly onWait?: () => void;
}

/** Waits for the lock, runs the task, and lets the lock go whatever happens. */
export async function withLock<T>(request: LockRequest, task: () => Promise<T>): Promise<T> {
  const token = await acquire(request);
  const heartbeat = setInterval(() => {
    const now = new Date();
    // A missing file means the lock was taken over; the folder rule above still holds.
    utimes(request.path, now, now).catch(() => {});
  }, request.times.heartbeatMs);
  try {
    return await task();
  } finally {
    clearInterval(heartbeat);
    await release(request.path, token);
  }
}

async function acquire({ path, times, signal, onWait }: LockRequest): Promise<string> {
  const token = randomUUID();
  await mkdir(dirname(path), { recursive: true });
  let seen: { state: string; since: number } | undefined;
  let waiting = false;
  while (true) {
    throwIfCancelled(signal);
    if (await create(path, token)) return token;
    const found = await observe(path);
    if (found === undefined) continue;
    // The owner's clock is not trusted: what counts is how long this process itself has seen no change.
    if (seen?.state !== found.state) seen = { state: found.state, since: performance.now() };
    if (!found.ownerMayLive || performance.now() - seen.since > times.staleMs) {
      await takeAway(path, found.content);
      continue;
    }
    if (!waiting) onWait?.();
    waiting = true;
    await wait(times.pollMs, signal);
  }
}

async function create(path: string, token: string): Promise<boolean> {
  try {
    const file = await open(path, "wx");
    try {
      await file.writeFile(JSON.stringify({ token, process: process.pid, host: hostname() }));
    } finally {
      await file.close();
    }
    return true;
  } catch (error) {
    // Windows answers EPERM or EBUSY while another process is deleting the file.
    if (["EEXIST", "EPERM", "EBUSY"].includes(errorCode(error) ?? "") && (await exists(path))) return false;
    if (errorCode(error) === "EEXIST") return false;
    throw error;
  }
}

interface Observation {
  readonly content: string;
  /** Changes with each sign of life. */
  readonly state: string;
  readonly ownerMayLive: boolean;
}

async function observe(path: string): Promise<Observation | undefined> {
  try {
    const content = await readFile(path, "utf8");
    const { mtimeMs } = await stat(path);
    return { content, state: `${mtimeMs} ${content}`, ownerMayLive: ownerMayLive(content) };
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

function ownerMayLive(content: string): boolean {
  try {
    const owner: unknown = JSON.parse(content);
    if (typeof owner !== "object" || owner === null || !("process" in owner) || !("host" in owner)) return true;
    // Nothing can be asked about processes of another machine that shares this folder.
    if (owner.host !== hostname() || typeof owner.process !== "number") return true;
    return isAlive(owner.process);
  } catch {
    // Half written: its owner is writing it right now, or ended while it did.
    return true;
  }
}

/** Whether a process of this machine exists. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it exists and belongs to another user.
    return errorCode(error) === "EPERM";
  }
}

/** Removes a lock whose owner is gone, unless somebody else has replaced it in the meantime. */
async function takeAway(path: string, content: string): Promise<void> {
  const aside = `${path}.${randomUUID()}`;
  try {
    await rename(path, aside);
    if ((await readFile(aside, "utf8")) !== content && !(await exists(path))) await rename(aside, path);
    else await rm(aside, { force: true });
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
  }
}

async function release(path: string, token: string): Promise<void> {
  try {
    if ((await readFile(path, "utf8")).includes(token)) await rm(path, { force: true });
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function wait(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await pause(milliseconds, undefined, { signal, ref: true });
  } catch {
    throw new Cancelled();
  }
}
