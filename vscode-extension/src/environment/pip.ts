// What to say to pip and how to understand its answer. Pure.
import { Failure } from "../failure.ts";

const common = [
  "-X",
  "utf8",
  "-I",
  "-m",
  "pip",
  "--disable-pip-version-check",
  "--no-input",
  "--no-color",
  "install",
  "--no-deps",
  "--no-warn-script-location",
];

/**
 * Arguments that install the locked requirements. Every file must have a hash that is in the lock, and only wheels are
 * taken: building a source distribution would run code and fetch build tools that no hash covers.
 */
export function requirementsArguments(requirementsPath: string): string[] {
  return [...common, "--progress-bar", "off", "--require-hashes", "--only-binary", ":all:", "-r", requirementsPath];
}

/**
 * Arguments that install the bundled wheel itself, by its path and with its digest, so that pip refuses a file that was
 * exchanged after it was verified. No index is asked.
 * @param wheelUrl the wheel's `file:` URL
 */
export function wheelArguments(wheelUrl: string, sha256: string): string[] {
  return [...common, "--no-index", `${wheelUrl}#sha256=${sha256}`];
}

/** Arguments that check that everything installed finds what it requires. */
export const checkArguments = ["-X", "utf8", "-I", "-m", "pip", "--disable-pip-version-check", "--no-input", "check"];

/** The number of packages a requirements file names, for the progress bar. */
export function countRequirements(requirements: string): number {
  return requirements.split(/\r?\n/).filter((line) => /^[A-Za-z0-9]/.test(line)).length;
}

/** The package pip has just turned to, when a line of its output says so. */
export function packageInProgress(line: string): string | undefined {
  return /^\s*Collecting ([A-Za-z0-9][A-Za-z0-9._-]*)/.exec(line)?.[1];
}

/** Causes in the order they are looked for: a network that fails also makes pip say that it found no version. */
const causes: ReadonlyArray<readonly [pattern: RegExp, what: string, next: string]> = [
  [
    /DO NOT MATCH THE HASHES|Hashes are required|HashMismatch/i,
    "a downloaded package does not have the sha256 that the extension's lock names, so it was refused",
    "Check the package index or proxy that pip is configured to use: it serves a changed file.",
  ],
  [/No space left on device|not enough space|\[Errno 28\]/i, "the disk is full", "Free some space and try again."],
  [
    /Read-only file system|Permission denied|Access is denied|\[Errno 13\]/i,
    "a file could not be written",
    "Check the permissions of the folder named in the log and try again.",
  ],
  [
    /CERTIFICATE_VERIFY_FAILED|SSLError|SSL: /i,
    "the package index could not be trusted (TLS certificate)",
    "Behind an intercepting proxy, set `global.cert` in pip's configuration to your organisation's certificate.",
  ],
  [
    /ProxyError|407 Proxy|Tunnel connection failed/i,
    "the proxy refused the connection",
    "Check HTTPS_PROXY or `global.proxy` in pip's configuration and try again.",
  ],
  [
    /401 Client Error|403 Client Error|Unauthorized|Forbidden/i,
    "the package index refused access",
    "Check the index address and credentials in pip's configuration.",
  ],
  [
    /NewConnectionError|NameResolutionError|name resolution|getaddrinfo failed|Network is unreachable|Connection refused|ConnectTimeout|Read timed out|Connection(Reset|Aborted)?Error|connection broken/i,
    "the package index cannot be reached",
    "The first start needs the network once. Go online, or point pip's configuration to an index you can reach, and try again.",
  ],
  [
    /No matching distribution found|Could not find a version|not a supported wheel|requires a different Python|none of the wheel's tags/i,
    "a package has no wheel for this Python on this platform",
    "Select another interpreter; released CPython versions from 3.10 on are most likely to be served.",
  ],
];

/**
 * Turns pip's output into a failure.
 * @param step what was being installed, as in "the server's requirements"
 */
export function explainPipFailure(step: string, output: string, code: number | undefined): Failure {
  const cause = causes.find(([pattern]) => pattern.test(output));
  const [what, next] = cause
    ? [cause[1], cause[2]]
    : [lastError(output) ?? `pip ended with ${code ?? "a signal"}`, "The log has pip's whole output."];
  return new Failure(`Installing ${step} failed: ${what}.`, next, ["retry", "showLog", "selectInterpreter"]);
}

function lastError(output: string): string | undefined {
  const errors = output.split(/\r?\n/).filter((line) => /^\s*ERROR: /.test(line));
  return errors
    .at(-1)
    ?.replace(/^\s*ERROR: /, "")
    .replace(/\.$/, "");
}
