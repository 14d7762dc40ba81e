// The folder of environments on disk: what is in it, which one to use, which ones to remove.
import { readdir, readFile, rm, writeFile, rename } from "node:fs/promises";
import { join } from "node:path";
import type { BundleManifest } from "../bundle/manifest.ts";
import { errorCode, reasonOf } from "../failure.ts";
import { keyOf, markerName } from "./layout.ts";
import { isMadeOf, type Marker, parseMarker } from "./marker.ts";
import { isUsedElsewhere } from "./usage.ts";

/** An environment as found on disk. Without a marker it is unfinished or given up. */
export interface StoredEnvironment {
  readonly folder: string;
  readonly key: string;
  readonly marker: Marker | undefined;
}

/** All environments in the folder. Entries with other names are not ours and are left alone. */
export async function listEnvironments(environments: string): Promise<StoredEnvironment[]> {
  const found: StoredEnvironment[] = [];
  for (const name of (await namesIn(environments)).sort()) {
    const key = keyOf(name);
    if (key === undefined) continue;
    const folder = join(environments, name);
    found.push({ folder, key, marker: await readMarker(folder) });
  }
  return found;
}

/** A complete environment. */
export interface CompleteEnvironment {
  readonly folder: string;
  readonly marker: Marker;
}

/** The complete environment to use for this key: the newest one made of the bundle. Pure. */
export function chooseEnvironment(
  stored: readonly StoredEnvironment[],
  key: string,
  manifest: BundleManifest,
): CompleteEnvironment | undefined {
  return newestEnvironment(
    stored.filter((one) => one.key === key),
    manifest,
  );
}

/** The newest complete environment made of the bundle, whichever Python made it. Pure. */
export function newestEnvironment(
  stored: readonly StoredEnvironment[],
  manifest: BundleManifest,
): CompleteEnvironment | undefined {
  return stored
    .flatMap(({ folder, marker }) => (marker !== undefined && isMadeOf(marker, manifest) ? [{ folder, marker }] : []))
    .toSorted((one, other) => one.marker.createdAt.localeCompare(other.marker.createdAt))
    .at(-1);
}

/**
 * The environments that nobody needs: unfinished ones, those of another wheel or other requirements, and all but the
 * newest of each key. Whether one is in use is looked at when it is removed. Pure.
 *
 * Call it only under the lock: what is unfinished then belongs to nobody.
 */
export function chooseRemovals(stored: readonly StoredEnvironment[], manifest: BundleManifest): StoredEnvironment[] {
  return stored.filter(({ folder, key }) => chooseEnvironment(stored, key, manifest)?.folder !== folder);
}

export async function readMarker(environment: string): Promise<Marker | undefined> {
  try {
    return parseMarker(await readFile(join(environment, markerName), "utf8"));
  } catch {
    return undefined;
  }
}

/** Writes the marker whole or not at all. */
export async function writeMarker(environment: string, marker: Marker): Promise<void> {
  const path = join(environment, markerName);
  await writeFile(`${path}.new`, `${JSON.stringify(marker, undefined, 2)}\n`, { flush: true });
  await rename(`${path}.new`, path);
}

/** From here on nobody starts a server from the environment. Those that run keep running. */
export async function withdraw(environment: string): Promise<void> {
  await rm(join(environment, markerName), { force: true });
}

/**
 * Removes an environment: its marker first, so that a removal that is interrupted leaves nothing usable. Returns why
 * it could not be removed, when it could not; the next clean-up tries again.
 */
export async function removeEnvironment(environment: string): Promise<string | undefined> {
  try {
    await withdraw(environment);
    await rm(environment, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    return undefined;
  } catch (error) {
    return reasonOf(error);
  }
}

/** Removes what nobody needs and nobody uses. Call it only under the lock. */
export async function cleanUp(
  environments: string,
  manifest: BundleManifest,
  log: (line: string) => void,
): Promise<void> {
  for (const { folder } of chooseRemovals(await listEnvironments(environments), manifest)) {
    if (await isUsedElsewhere(folder)) {
      log(`Kept ${folder}: another window uses it.`);
      continue;
    }
    const problem = await removeEnvironment(folder);
    log(
      problem === undefined ? `Removed the old environment ${folder}.` : `Could not remove ${folder} yet: ${problem}`,
    );
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder, { withFileTypes: true })).flatMap((entry) =>
      entry.isDirectory() ? [entry.name] : [],
    );
  } catch (error) {
    if (errorCode(error) === "ENOENT") return [];
    throw error;
  }
}
