// The bundle as it lies in the installed extension. Reading the manifest is quick; verifying hashes every byte and is
// done each time before the bundle is installed from or run from.
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { errorCode, Failure, reasonOf } from "../failure.ts";
import { type BundledFile, type BundleManifest, parseBundleManifest } from "./manifest.ts";

/** A bundle whose wheel and requirements have the sizes and digests its manifest names. */
export interface VerifiedBundle {
  readonly manifest: BundleManifest;
  readonly wheelPath: string;
  readonly requirementsPath: string;
  /** The text of the verified requirements file. */
  readonly requirements: string;
}

const reinstall =
  "The server was not started. Reinstall the extension, and report it to its publisher if the message comes back.";

/** Reads the manifest of the bundle folder without looking at the other files. */
export async function readBundleManifest(folder: string): Promise<BundleManifest> {
  const path = join(folder, "manifest.json");
  return parseBundleManifest((await readBytes(path)).toString("utf8"), path);
}

/** Reads the manifest and compares both files with it, byte for byte by size and sha256. */
export async function verifyBundle(folder: string): Promise<VerifiedBundle> {
  const manifest = await readBundleManifest(folder);
  await verifyFile(folder, manifest.wheel);
  const requirements = await verifyFile(folder, manifest.requirements);
  return {
    manifest,
    wheelPath: join(folder, manifest.wheel.file),
    requirementsPath: join(folder, manifest.requirements.file),
    requirements: requirements.toString("utf8"),
  };
}

async function verifyFile(folder: string, expected: BundledFile): Promise<Buffer> {
  const path = join(folder, expected.file);
  const bytes = await readBytes(path);
  if (bytes.length !== expected.size) {
    throw new Failure(`${path} has ${bytes.length} bytes, but its manifest says ${expected.size}.`, reinstall);
  }
  const found = createHash("sha256").update(bytes).digest("hex");
  if (found !== expected.sha256) {
    throw new Failure(`${path} has sha256 ${found}, but its manifest says ${expected.sha256}.`, reinstall);
  }
  return bytes;
}

async function readBytes(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    const what = errorCode(error) === "ENOENT" ? `${path} is missing.` : `Cannot read ${path}: ${reasonOf(error)}.`;
    throw new Failure(what, reinstall, ["showLog"], { cause: error });
  }
}
