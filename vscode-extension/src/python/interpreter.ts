// What this extension knows of a Python interpreter, and when it accepts one. Pure: asking the interpreter is done in
// discover.ts.

/** The oldest Python the bundled server runs on. */
export const oldestVersion = [3, 10] as const;

/** Where a candidate comes from, in the order they are tried. */
export type Source = "setting" | "pythonExtension" | "path";

/** Something that may be a Python, before it was asked. */
export interface Candidate {
  readonly source: Source;
  /** What a person would call it: the path they set, or the name looked up on PATH. */
  readonly label: string;
  /** The absolute path to run, or undefined when nothing was found under the label. */
  readonly file: string | undefined;
  /** Arguments before everything else, such as `-3` for the Windows launcher. */
  readonly args: readonly string[];
}

/** A Python that fits. */
export interface Interpreter {
  readonly source: Source;
  /** The interpreter's own `sys.executable`. */
  readonly executable: string;
  readonly version: readonly [number, number, number];
  /** `cpython`, `pypy`, … as `sys.implementation.name` says. */
  readonly implementation: string;
}

/** A candidate that does not fit, and why, as the end of a sentence that starts with its label. */
export interface Refusal {
  readonly candidate: Candidate;
  readonly reason: string;
}

/**
 * Run by every candidate, so it must be valid in any Python, even 2.7. Prints one line of JSON.
 */
export const probeScript = [
  "import json, sys",
  "def has(name):",
  "    try:",
  "        __import__(name)",
  "        return True",
  "    except Exception:",
  "        return False",
  "print(json.dumps({'version': list(sys.version_info[:3]), 'executable': sys.executable,",
  "    'implementation': getattr(getattr(sys, 'implementation', None), 'name', 'cpython'),",
  "    'venv': has('venv'), 'ensurepip': has('ensurepip'), 'platform': sys.platform}))",
].join("\n");

/** Judges what the probe printed: an interpreter, or the reason why it is refused. */
export function judgeProbe(candidate: Candidate, stdout: string): Interpreter | string {
  const answer = parseProbe(stdout);
  if (answer === undefined) return "did not answer like a Python interpreter";
  const { version, executable, implementation } = answer;
  const [major, minor] = version;
  const oldest = oldestVersion.join(".");
  if (major !== oldestVersion[0] || minor < oldestVersion[1]) {
    return `is Python ${version.join(".")}, and ${oldest} or newer is needed`;
  }
  if (executable === "") return "does not know its own path (sys.executable is empty)";
  if (!answer.venv) return `cannot create environments, because its module venv is missing${venvHint(answer)}`;
  if (!answer.ensurepip)
    return `cannot create environments, because its module ensurepip is missing${venvHint(answer)}`;
  return { source: candidate.source, executable, version, implementation };
}

interface ProbeAnswer {
  readonly version: readonly [number, number, number];
  readonly executable: string;
  readonly implementation: string;
  readonly venv: boolean;
  readonly ensurepip: boolean;
  readonly platform: string;
}

function parseProbe(stdout: string): ProbeAnswer | undefined {
  // Start-up files of some distributions print a greeting; the answer is the last line.
  const line = stdout.trim().split(/\r?\n/).at(-1) ?? "";
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const { version, executable, implementation, venv, ensurepip, platform } = value as Record<string, unknown>;
  if (!Array.isArray(version) || version.length !== 3 || !version.every(Number.isInteger)) return undefined;
  if (typeof implementation !== "string" || !/^[a-z0-9_]+$/.test(implementation)) return undefined;
  if (typeof platform !== "string") return undefined;
  return {
    version: version as [number, number, number],
    // An embedded Python reports null.
    executable: typeof executable === "string" ? executable : "",
    implementation,
    venv: venv === true,
    ensurepip: ensurepip === true,
    platform,
  };
}

function venvHint({ platform, version }: ProbeAnswer): string {
  // Debian and Ubuntu ship Python without these modules.
  return platform === "linux" ? ` (on Debian and Ubuntu: apt install python${version[0]}.${version[1]}-venv)` : "";
}
