// The marker of a complete environment. It is written last, so an install that was interrupted at any moment has none,
// and it holds whole digests, so an environment made of anything else is never taken for the right one.
import type { BundleManifest } from "../bundle/manifest.ts";
import type { Interpreter } from "../python/interpreter.ts";

export interface Marker {
  readonly schema: 1;
  readonly wheelSha256: string;
  readonly requirementsSha256: string;
  readonly version: string;
  readonly commit: string;
  /** The interpreter that created the environment. */
  readonly interpreter: string;
  readonly pythonVersion: string;
  readonly implementation: string;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
}

export function makeMarker(manifest: BundleManifest, interpreter: Interpreter, now: Date): Marker {
  return {
    schema: 1,
    wheelSha256: manifest.wheel.sha256,
    requirementsSha256: manifest.requirements.sha256,
    version: manifest.version,
    commit: manifest.commit,
    interpreter: interpreter.executable,
    pythonVersion: interpreter.version.join("."),
    implementation: interpreter.implementation,
    createdAt: now.toISOString(),
  };
}

/** Reads a marker. Anything that is not exactly one, such as half of one after a power cut, counts as none. */
export function parseMarker(text: string): Marker | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const marker = value as Record<string, unknown>;
  const texts = [
    "wheelSha256",
    "requirementsSha256",
    "version",
    "commit",
    "interpreter",
    "pythonVersion",
    "implementation",
    "createdAt",
  ];
  if (marker["schema"] !== 1 || !texts.every((key) => typeof marker[key] === "string")) return undefined;
  return value as Marker;
}

/** Whether an environment with this marker holds exactly the bundle's wheel and requirements. */
export function isMadeOf(marker: Marker, manifest: BundleManifest): boolean {
  return marker.wheelSha256 === manifest.wheel.sha256 && marker.requirementsSha256 === manifest.requirements.sha256;
}
