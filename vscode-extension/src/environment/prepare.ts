// From the bundle and an interpreter to an environment that is ready to run: the one that is there, or a new one.
import { join } from "node:path";
import type { VerifiedBundle } from "../bundle/bundle.ts";
import type { Interpreter } from "../python/interpreter.ts";
import { inspectEnvironment } from "./inspect.ts";
import { type Installing, installEnvironment } from "./install.ts";
import { environmentKey } from "./layout.ts";
import { type LockTimes, withLock } from "./lock.ts";
import {
  chooseEnvironment,
  chooseRemovals,
  cleanUp,
  type CompleteEnvironment,
  listEnvironments,
  readMarker,
  withdraw,
} from "./store.ts";
import { markInUse, unmarkInUse } from "./usage.ts";

export interface Preparing extends Installing {
  readonly lockTimes: LockTimes;
  /** Makes a new environment even when there is one. */
  readonly repair: boolean;
}

/**
 * Finds or makes the environment of this bundle and interpreter, and notes that this process uses it. The server in the
 * environment it returns was compared with the bundled wheel and found equal.
 */
export async function prepareEnvironment(
  bundle: VerifiedBundle,
  interpreter: Interpreter,
  preparing: Preparing,
): Promise<CompleteEnvironment> {
  const { environments, lockTimes, signal, progress, repair } = preparing;
  const ready = repair ? undefined : await findReady(bundle, interpreter, preparing);
  if (ready !== undefined) return ready;
  const request = {
    path: join(environments, "lock"),
    times: lockTimes,
    signal,
    onWait: () => progress("waiting for another window that is installing", 0),
  };
  return withLock(request, async () => {
    // Another window may have finished the same environment while this one waited.
    const made = repair
      ? await withdrawAll(bundle, interpreter, preparing)
      : await findReady(bundle, interpreter, preparing);
    if (made !== undefined) return made;
    const installed = await installEnvironment(bundle, interpreter, preparing);
    await markInUse(installed.folder);
    await cleanUp(environments, bundle.manifest, preparing.log);
    return installed;
  });
}

/** Looks for an environment and proves it again: the folder is writable, so its content is not taken on trust. */
async function findReady(
  bundle: VerifiedBundle,
  interpreter: Interpreter,
  preparing: Preparing,
): Promise<CompleteEnvironment | undefined> {
  const { environments, log } = preparing;
  const stored = await listEnvironments(environments);
  const found = chooseEnvironment(stored, environmentKey(bundle.manifest, interpreter), bundle.manifest);
  if (found === undefined) return undefined;
  await markInUse(found.folder);
  // A clean-up that had begun before the note was made has taken the marker away first.
  const marker = await readMarker(found.folder);
  const problems = marker ? await inspectEnvironment(found.folder, bundle, preparing) : ["it is being removed"];
  if (marker !== undefined && problems.length === 0) return { folder: found.folder, marker };
  log(`Not using ${found.folder}: ${problems.join("; ")}. A new environment will be made.`);
  await withdraw(found.folder);
  await unmarkInUse(found.folder);
  return undefined;
}

async function withdrawAll(bundle: VerifiedBundle, interpreter: Interpreter, preparing: Preparing): Promise<undefined> {
  const key = environmentKey(bundle.manifest, interpreter);
  for (const stored of await listEnvironments(preparing.environments)) {
    if (stored.key !== key) continue;
    await withdraw(stored.folder);
    await unmarkInUse(stored.folder);
  }
  return undefined;
}

/** Removes old environments. Meant for a quiet moment after a start; `prepareEnvironment` does it after an install. */
export async function removeOldEnvironments(bundle: VerifiedBundle, preparing: Preparing): Promise<void> {
  const { environments, lockTimes, signal, log } = preparing;
  const stored = await listEnvironments(environments);
  // Most of the time there is nothing to remove, and then nothing is locked either.
  if (chooseRemovals(stored, bundle.manifest).length === 0) return;
  await withLock({ path: join(environments, "lock"), times: lockTimes, signal }, () =>
    cleanUp(environments, bundle.manifest, log),
  );
}
