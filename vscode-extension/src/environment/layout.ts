// Names and places of the private environments. Pure.
//
//   <global storage>/environments/
//     lock                                  held while one window installs or cleans up
//     <key>.<attempt>/                      one environment; a new folder for each attempt
//       complete.json                       the marker, written last: without it the folder is never used
//       in-use/<process>.json               one for each editor window that runs a server from it
import { posix, win32 } from "node:path";
import type { BundleManifest } from "../bundle/manifest.ts";
import type { Interpreter } from "../python/interpreter.ts";

export const markerName = "complete.json";
export const inUseFolderName = "in-use";

/**
 * The key of an environment: which wheel, which requirements and which kind of Python it was made of. The digests are
 * shortened because some systems limit the length of paths; the marker inside holds them whole.
 */
export function environmentKey(manifest: BundleManifest, interpreter: Interpreter): string {
  const [major, minor] = interpreter.version;
  return [
    manifest.wheel.sha256.slice(0, 16),
    manifest.requirements.sha256.slice(0, 8),
    `${interpreter.implementation}${major}${minor}`,
  ].join("-");
}

/** The folder name of one attempt to make the environment of this key. */
export function attemptName(key: string, attempt: string): string {
  return `${key}.${attempt}`;
}

/** The key a folder name was made of, or undefined when it is not one of ours. */
export function keyOf(folderName: string): string | undefined {
  return /^([0-9a-f]{16}-[0-9a-f]{8}-[a-z0-9_]+)\.[0-9a-z]+$/.exec(folderName)?.[1];
}

/** The Python inside an environment. */
export function pythonIn(environment: string, platform: NodeJS.Platform): string {
  return platform === "win32"
    ? win32.join(environment, "Scripts", "python.exe")
    : posix.join(environment, "bin", "python");
}

/** A console script inside an environment. */
export function scriptIn(environment: string, name: string, platform: NodeJS.Platform): string {
  return platform === "win32"
    ? win32.join(environment, "Scripts", `${name}.exe`)
    : posix.join(environment, "bin", name);
}
