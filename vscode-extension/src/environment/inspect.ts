// Proves that what an environment would run is the bundled wheel: every file of the wheel is installed with the same
// bytes, nothing else lies in its packages, and the console script starts the entry point the wheel names.
import { Failure } from "../failure.ts";
import type { VerifiedBundle } from "../bundle/bundle.ts";
import { pythonEnvironment } from "../process/environment.ts";
import type { Run } from "../process/run.ts";
import { pythonIn, scriptIn } from "./layout.ts";

/** What inspecting needs of the world. */
export interface Inspecting {
  readonly run: Run;
  readonly env: NodeJS.ProcessEnv;
  readonly platform: NodeJS.Platform;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Arguments: the wheel, its sha256, the distribution's name, its version, its console script. Prints one JSON object
 * with the list of problems. It compares with the wheel itself and not with RECORD, which lies in the environment.
 */
const inspectionScript = `
import hashlib, io, json, os, sys, sysconfig, zipfile
from importlib import metadata
wheel, sha256, name, version, script = sys.argv[1:6]
problems = []
content = open(wheel, "rb").read()
if hashlib.sha256(content).hexdigest() != sha256:
    problems.append("the wheel is not the one the manifest names")
site = sysconfig.get_paths()["purelib"]
expected, packages = set(), set()
with zipfile.ZipFile(io.BytesIO(content)) as archive:
    for entry in archive.namelist():
        top = entry.split("/")[0]
        if entry.endswith("/") or top.endswith(".data") or entry.endswith(".dist-info/RECORD"):
            continue
        path = os.path.join(site, *entry.split("/"))
        expected.add(os.path.normcase(path))
        if not top.endswith(".dist-info") and "/" in entry:
            packages.add(top)
        try:
            with open(path, "rb") as installed:
                if installed.read() != archive.read(entry):
                    problems.append("changed after installation: " + path)
        except OSError as error:
            problems.append("missing: %s (%s)" % (path, error.strerror))
for package in sorted(packages):
    for folder, folders, files in os.walk(os.path.join(site, package)):
        folders[:] = [one for one in folders if one != "__pycache__"]
        for file in files:
            path = os.path.join(folder, file)
            if os.path.normcase(path) not in expected:
                problems.append("not from the wheel: " + path)
try:
    distribution = metadata.distribution(name)
    if distribution.version != version:
        problems.append("installed is version %s, not %s" % (distribution.version, version))
    if not any(one.group == "console_scripts" and one.name == script for one in distribution.entry_points):
        problems.append("the wheel has no console script " + script)
    executable = os.path.join(sysconfig.get_path("scripts"), script + (".exe" if os.name == "nt" else ""))
    if not os.path.isfile(executable):
        problems.append("missing: " + executable)
except metadata.PackageNotFoundError:
    problems.append("the distribution %s is not installed" % name)
print(json.dumps({"python": "%d.%d.%d" % sys.version_info[:3], "problems": problems}))
`;

const inspectionTimeoutMs = 60_000;
/** The first start of a fresh install compiles every module it imports. */
const versionTimeoutMs = 120_000;

/** The problems found, none when the environment runs the bundled wheel and nothing else under its name. */
export async function inspectEnvironment(
  environment: string,
  { manifest, wheelPath }: VerifiedBundle,
  { run, env, platform, signal }: Inspecting,
): Promise<string[]> {
  const wheel = [wheelPath, manifest.wheel.sha256, manifest.name, manifest.version, manifest.consoleScript];
  const outcome = await run(
    {
      file: pythonIn(environment, platform),
      args: ["-X", "utf8", "-I", "-c", inspectionScript, ...wheel],
      cwd: environment,
      env: pythonEnvironment(env),
    },
    { signal, timeoutMs: inspectionTimeoutMs },
  ).catch((error: unknown) => {
    if (error instanceof Error && "code" in error) return undefined;
    throw error;
  });
  if (outcome === undefined) return ["its Python does not start any more"];
  if (outcome.timedOut) return [`its Python did not answer within ${inspectionTimeoutMs / 1000} seconds`];
  if (outcome.code !== 0) return [`its Python ended with ${outcome.code ?? "a signal"}: ${outcome.stderr.trim()}`];
  return parseProblems(outcome.stdout);
}

function parseProblems(stdout: string): string[] {
  try {
    const answer: unknown = JSON.parse(stdout);
    if (typeof answer === "object" && answer !== null && "problems" in answer && Array.isArray(answer.problems)) {
      return answer.problems.map(String);
    }
  } catch {
    // Reported below like any other answer that is not ours.
  }
  return ["its Python gave no readable answer"];
}

/** Starts the console script with `--version`; its answer must name the bundled version. */
export async function askServerVersion(
  environment: string,
  { manifest }: VerifiedBundle,
  { run, env, platform, signal }: Inspecting,
): Promise<string> {
  const file = scriptIn(environment, manifest.consoleScript, platform);
  const outcome = await run(
    { file, args: ["--version"], cwd: environment, env: pythonEnvironment(env) },
    { signal, timeoutMs: versionTimeoutMs },
  );
  const answer = outcome.stdout.trim();
  if (outcome.code === 0 && answer.split(/\s+/).includes(manifest.version)) return answer;
  const said = outcome.timedOut
    ? `did not answer within ${versionTimeoutMs / 1000} seconds`
    : `ended with ${outcome.code ?? "a signal"} and said: ${(answer || outcome.stderr.trim()).slice(-2000)}`;
  throw new Failure(
    `The installed server does not work: ${file} --version ${said}.`,
    "Repair the environment; if that does not help, select another interpreter.",
    ["repairEnvironment", "showLog", "selectInterpreter"],
  );
}
