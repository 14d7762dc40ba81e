// Which editor windows run a server from an environment, so that cleaning up never takes the floor from under one.
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { inUseFolderName } from "./layout.ts";
import { isAlive } from "./lock.ts";

/** Notes that this process uses the environment. The same process notes it once, however often it asks. */
export async function markInUse(environment: string): Promise<void> {
  const folder = join(environment, inUseFolderName);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, recordName()), JSON.stringify({ process: process.pid, host: hostname() }));
}

/** Takes this process's note back. */
export async function unmarkInUse(environment: string): Promise<void> {
  await rm(join(environment, inUseFolderName, recordName()), { force: true });
}

/** Whether a living process, other than this one, uses the environment. */
export async function isUsedElsewhere(environment: string): Promise<boolean> {
  const folder = join(environment, inUseFolderName);
  const names = await readdir(folder).catch(() => []);
  const records = await Promise.all(
    names.filter((name) => name !== recordName()).map((name) => readFile(join(folder, name), "utf8").catch(() => "")),
  );
  return records.some(isOfLivingProcess);
}

function isOfLivingProcess(record: string): boolean {
  try {
    const user: unknown = JSON.parse(record);
    if (typeof user !== "object" || user === null || !("process" in user) || !("host" in user)) return false;
    // A process of another machine that shares this folder cannot be asked; its word is taken.
    return user.host !== hostname() || (typeof user.process === "number" && isAlive(user.process));
  } catch {
    return false;
  }
}

function recordName(): string {
  return `${hostname().replace(/[^A-Za-z0-9-]/g, "_")}-${process.pid}.json`;
}
