// Real bundles for tests: a tiny wheel with a console script, a tiny wheel it depends on, and requirements that lock the
// second one by hash and find it in a folder. Nothing here needs a network.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { VerifiedBundle } from "../bundle/bundle.ts";
import { verifyBundle } from "../bundle/bundle.ts";
import { python } from "./machine.ts";

export interface TinyServer {
  readonly version?: string;
  /** The body of the console script. The default answers `--version`. */
  readonly main?: string;
  /** The sha256 the lock names for the dependency; the default is the true one. */
  readonly lockedSha256?: string;
  /** Whether the dependency can be found at all. */
  readonly dependency?: "present" | "absent";
}

/** Writes a wheel: arguments are the target file and a JSON list of [name, content]. RECORD is computed. */
const wheelScript = `
import base64, hashlib, json, sys, zipfile
target, entries = sys.argv[1], json.loads(sys.argv[2])
record = ""
with zipfile.ZipFile(target, "w") as wheel:
    for name, content in entries:
        data = content.encode()
        wheel.writestr(zipfile.ZipInfo(name), data)
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        record += "%s,sha256=%s,%d\\n" % (name, digest, len(data))
    folder = entries[-1][0].split("/")[0]
    wheel.writestr(zipfile.ZipInfo(folder + "/RECORD"), record + folder + "/RECORD,,\\n")
`;

/** Makes a bundle below `parent` and returns its folder. */
export function makeBundle(parent: string, server: TinyServer = {}): string {
  const { version = "1.2.3" } = server;
  const folder = join(parent, "python_server");
  const links = join(parent, "links");
  mkdirSync(folder, { recursive: true });
  mkdirSync(links, { recursive: true });
  const dependency = writeWheel(links, "tiny_dependency", "2.0", [["tiny_dependency.py", "answer = 42\n"]]);
  const main =
    server.main ??
    `def main():\n    import sys, tiny_dependency\n    assert sys.argv[1:] == ["--version"] and tiny_dependency.answer == 42\n    print("tiny-server ${version}")\n`;
  const wheel = writeWheel(
    folder,
    "tiny_server",
    version,
    [
      ["tiny_server/__init__.py", main],
      ["tiny_server/data.txt", "Zahlen und Wörter\n"],
    ],
    { requires: "tiny-dependency>=1", script: "tiny-server = tiny_server:main" },
  );
  const from = server.dependency === "absent" ? join(parent, "nothing here") : links;
  mkdirSync(from, { recursive: true });
  const requirements = join(folder, "requirements.txt");
  writeFileSync(
    requirements,
    `--no-index\n--find-links ${pathToFileURL(from).href}\n` +
      `tiny-dependency==2.0 ; python_version >= "3.10" \\\n    --hash=sha256:${server.lockedSha256 ?? digestOf(dependency)}\n`,
  );
  writeManifest(folder, version, wheel, requirements);
  return folder;
}

/** Makes a bundle and verifies it. */
export function makeVerifiedBundle(parent: string, server: TinyServer = {}): Promise<VerifiedBundle> {
  return verifyBundle(makeBundle(parent, server));
}

export function digestOf(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}

function writeWheel(
  folder: string,
  name: string,
  version: string,
  files: ReadonlyArray<readonly [string, string]>,
  more: { requires?: string; script?: string } = {},
): string {
  const information = `${name}-${version}.dist-info`;
  const requires = more.requires === undefined ? "" : `Requires-Dist: ${more.requires}\n`;
  const entries = [
    ...files,
    [
      `${information}/METADATA`,
      `Metadata-Version: 2.1\nName: ${name.replace("_", "-")}\nVersion: ${version}\n${requires}`,
    ],
    [`${information}/WHEEL`, "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"],
    ...(more.script === undefined ? [] : [[`${information}/entry_points.txt`, `[console_scripts]\n${more.script}\n`]]),
  ];
  const path = join(folder, `${name}-${version}-py3-none-any.whl`);
  execFileSync(python, ["-I", "-c", wheelScript, path, JSON.stringify(entries)]);
  return path;
}

function writeManifest(folder: string, version: string, wheel: string, requirements: string): void {
  const describe = (path: string) => ({
    file: path.slice(folder.length + 1),
    size: readFileSync(path).length,
    sha256: digestOf(path),
  });
  const manifest = {
    schema: 1,
    name: "tiny-server",
    version,
    commit: "0123456789abcdef0123456789abcdef01234567",
    dirty: false,
    consoleScript: "tiny-server",
    wheel: describe(wheel),
    requirements: describe(requirements),
  };
  writeFileSync(join(folder, "manifest.json"), JSON.stringify(manifest));
}
