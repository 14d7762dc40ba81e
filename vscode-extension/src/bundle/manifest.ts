// The bundle manifest, python_server/manifest.json: what the orchestrator put beside it, by name, size and sha256.
// Parsing only; whether the files match is decided in bundle.ts.
import { Failure, reasonOf } from "../failure.ts";

/** One file of the bundle. `size` in bytes, `sha256` as 64 lower-case hexadecimal digits. */
export interface BundledFile {
  readonly file: string;
  readonly size: number;
  readonly sha256: string;
}

/** A validated bundle manifest of schema 1. */
export interface BundleManifest {
  readonly name: string;
  readonly version: string;
  /** The full commit the wheel was built from, 40 hexadecimal digits. */
  readonly commit: string;
  /** Whether uncommitted changes went into the wheel. */
  readonly dirty: boolean;
  readonly consoleScript: string;
  readonly wheel: BundledFile;
  readonly requirements: BundledFile;
}

const reinstall =
  "Reinstall the extension; if you built it yourself, run `npm run bundle-python` and package it again.";

/**
 * Parses and validates a manifest. All problems are reported together.
 * @param text the content of the file
 * @param path where it was read, for the message
 */
export function parseBundleManifest(text: string, path: string): BundleManifest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Failure(`${path} is not JSON: ${reasonOf(error)}.`, reinstall);
  }
  if (!isRecord(value)) throw new Failure(`${path} is not a JSON object.`, reinstall);
  // The schema decides how all other keys are to be read, so it is looked at alone and first.
  if (value["schema"] !== 1) {
    throw new Failure(
      `${path} has schema ${JSON.stringify(value["schema"])}, and this extension reads schema 1 only.`,
      reinstall,
    );
  }
  const problems: string[] = [];
  const manifest = readManifest(value, problems);
  if (problems.length > 0) throw new Failure(`${path} is not valid: ${problems.join("; ")}.`, reinstall);
  return manifest;
}

function readManifest(value: Record<string, unknown>, problems: string[]): BundleManifest {
  refuseUnknownKeys(
    value,
    ["schema", "name", "version", "commit", "dirty", "consoleScript", "wheel", "requirements"],
    "",
    problems,
  );
  const manifest: BundleManifest = {
    name: readText(value, "name", /^[A-Za-z0-9][A-Za-z0-9._-]*$/, problems),
    version: readText(value, "version", /^[0-9][A-Za-z0-9.!+]*$/, problems),
    commit: readText(value, "commit", /^[0-9a-f]{40}$/, problems),
    dirty: readFlag(value, "dirty", problems),
    consoleScript: readText(value, "consoleScript", /^[A-Za-z0-9][A-Za-z0-9._-]*$/, problems),
    wheel: readFile(value, "wheel", ".whl", problems),
    requirements: readFile(value, "requirements", ".txt", problems),
  };
  if (problems.length === 0) {
    const expected = `${manifest.name.replace(/[-_.]+/g, "_").toLowerCase()}-${manifest.version}-`;
    if (!manifest.wheel.file.toLowerCase().startsWith(expected)) {
      problems.push(`wheel.file is ${manifest.wheel.file}, which does not start with ${expected}`);
    }
  }
  return manifest;
}

function readFile(parent: Record<string, unknown>, key: string, ending: string, problems: string[]): BundledFile {
  const value = parent[key];
  if (!isRecord(value)) {
    problems.push(`${key} is not an object`);
    return { file: "", size: 0, sha256: "" };
  }
  refuseUnknownKeys(value, ["file", "size", "sha256"], `${key}.`, problems);
  // A plain name: no separator, no drive, no leading dot, so that it can only lie beside the manifest.
  const file = readText(value, "file", /^[A-Za-z0-9_][A-Za-z0-9_.+!-]*$/, problems, `${key}.`);
  if (file !== "" && !file.endsWith(ending)) problems.push(`${key}.file does not end in ${ending}`);
  const size = value["size"];
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) {
    problems.push(`${key}.size is not a whole number of bytes`);
  }
  return {
    file,
    size: typeof size === "number" ? size : 0,
    sha256: readText(value, "sha256", /^[0-9a-f]{64}$/, problems, `${key}.`),
  };
}

function readText(
  parent: Record<string, unknown>,
  key: string,
  pattern: RegExp,
  problems: string[],
  prefix = "",
): string {
  const value = parent[key];
  if (typeof value === "string" && pattern.test(value)) return value;
  problems.push(value === undefined ? `${prefix}${key} is missing` : `${prefix}${key} is ${JSON.stringify(value)}`);
  return "";
}

function readFlag(parent: Record<string, unknown>, key: string, problems: string[]): boolean {
  const value = parent[key];
  if (typeof value !== "boolean") problems.push(`${key} is not true or false`);
  return value === true;
}

function refuseUnknownKeys(
  value: Record<string, unknown>,
  known: readonly string[],
  prefix: string,
  problems: string[],
): void {
  for (const key of Object.keys(value)) if (!known.includes(key)) problems.push(`unknown key ${prefix}${key}`);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
