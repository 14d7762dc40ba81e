// Rules of this folder that no compiler checks: package.json and the code name the same things, the lock file holds no
// download addresses, the compiled script is the same bytes everywhere, and the .vsix holds what it should and no more.
"use strict";

const assert = require("node:assert/strict");
const { execFileSync } = require("node:child_process");
const {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  mkdirSync,
} = require("node:fs");
const { tmpdir } = require("node:os");
const path = require("node:path");
const { after, test } = require("node:test");

const folder = path.resolve(__dirname, "..");
const manifest = JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8"));
const read = (name) => readFileSync(path.join(folder, name), "utf8");

function temporaryFolder() {
  const made = mkdtempSync(path.join(tmpdir(), "vsix prüfung "));
  after(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

/** A copy of this folder, with the installed development tools linked in. */
function copyOfFolder() {
  const copy = path.join(temporaryFolder(), "kopie");
  const left = new Set(["node_modules", "dist", "python_server", ".vscode-test"]);
  cpSync(folder, copy, { recursive: true, filter: (source) => !left.has(path.relative(folder, source)) });
  symlinkSync(path.join(folder, "node_modules"), path.join(copy, "node_modules"), "junction");
  return copy;
}

test("every contributed command is registered, and no other", () => {
  const contributed = manifest.contributes.commands.map(({ command }) => command.replace("mcpServerJupyter.", ""));
  const table = /const commands: Record<string, \(\) => Promise<void>> = \{([^}]*)\}/.exec(
    read("src/editor/commands.ts"),
  );
  const registered = [...table[1].matchAll(/^ {4}(\w+):/gm)].map(([, name]) => name);
  assert.ok(registered.length > 0);
  assert.deepEqual(registered.toSorted(), contributed.toSorted());
});

test("every button of a failure runs a contributed command", () => {
  const contributed = manifest.contributes.commands.map(({ command }) => command);
  const used = [...read("src/editor/report.ts").matchAll(/command: "([^"]+)"/g)].map(([, command]) => command);
  assert.ok(used.length > 0);
  for (const command of used) assert.ok(contributed.includes(command), command);
});

test("the provider's id and the settings are those of package.json", () => {
  const [provider] = manifest.contributes.mcpServerDefinitionProviders;
  assert.match(read("src/editor/provider.ts"), new RegExp(`providerId = "${provider.id}"`));
  const settings = [...read("src/editor/settings.ts").matchAll(/\$\{section\}\.(\w+)/g)].map(
    ([, name]) => `mcpServerJupyter.${name}`,
  );
  assert.deepEqual(settings.toSorted(), Object.keys(manifest.contributes.configuration.properties).toSorted());
});

test("the readme names every command and every setting", () => {
  const readme = read("README.md");
  for (const { title } of manifest.contributes.commands) assert.ok(readme.includes(title), title);
  for (const setting of Object.keys(manifest.contributes.configuration.properties))
    assert.ok(readme.includes(setting), setting);
});

test("the changelog has the version", () => {
  assert.match(read("CHANGELOG.md"), new RegExp(`^## ${manifest.version.replaceAll(".", "\\.")}\\b`, "m"));
});

test("development tools are pinned exactly, and nothing is needed at run time", () => {
  assert.equal(manifest.dependencies, undefined);
  for (const [name, version] of Object.entries(manifest.devDependencies))
    assert.match(version, /^\d+\.\d+\.\d+$/, name);
  assert.ok(manifest.devDependencies["@types/vscode"].startsWith("1.101."));
});

test("the lock file names no download address and the same version as package.json", () => {
  const lock = JSON.parse(read("package-lock.json"));
  assert.equal(lock.lockfileVersion, 3);
  assert.equal(lock.version, manifest.version);
  assert.equal(lock.packages[""].version, manifest.version);
  assert.deepEqual(
    Object.entries(lock.packages).filter(([, entry]) => entry.resolved !== undefined),
    [],
  );
});

test("the compiled script is the same bytes from another folder, time zone and locale, and names no path", () => {
  const compile = (where, env) => {
    execFileSync(process.execPath, [path.join(where, "scripts", "compile.js")], {
      cwd: tmpdir(),
      env: { ...process.env, ...env },
      stdio: "pipe",
    });
    assert.deepEqual(readdirSync(path.join(where, "dist")), ["extension.js"]);
    return readFileSync(path.join(where, "dist", "extension.js"), "utf8");
  };
  const [one, other] = [copyOfFolder(), copyOfFolder()];
  for (const name of readdirSync(path.join(other, "src"))) utimesSync(path.join(other, "src", name), 1, 1);
  const first = compile(one, { TZ: "UTC", LC_ALL: "C" });
  assert.equal(compile(other, { TZ: "Asia/Tokyo", LC_ALL: "de_DE.UTF-8" }), first);
  assert.ok(!first.includes(tmpdir()) && !first.includes(folder) && !first.includes("sourceMappingURL"));
});

test("the .vsix holds the allow-list and nothing that lies beside it", () => {
  const copy = copyOfFolder();
  const put = (name, text = "x") => {
    mkdirSync(path.dirname(path.join(copy, name)), { recursive: true });
    writeFileSync(path.join(copy, name), text);
  };
  const wanted = [
    "dist/extension.js",
    "python_server/tiny-1.0-py3-none-any.whl",
    "python_server/manifest.json",
    "python_server/requirements.txt",
  ];
  const unwanted = [
    "python_server/src/main.py",
    "python_server/main.py",
    "python_server/a/b.whl",
    "python_server/uv.lock",
    "dist/extension.js.map",
    "dist/other.js",
    "media/notes.txt",
    ".env.example",
    "docs/x.md",
    "sub/package.json",
    "sub/README.md",
  ];
  for (const name of [...wanted, ...unwanted]) put(name);
  const vsce = path.join(folder, "node_modules", "@vscode", "vsce", "vsce");
  const listed = execFileSync(process.execPath, [vsce, "ls", "--no-dependencies"], {
    cwd: copy,
    encoding: "utf8",
    stdio: "pipe",
  });
  const expected = [...wanted, "package.json", "README.md", "CHANGELOG.md", "LICENSE", "media/icon.png"];
  assert.deepEqual(listed.trim().split(/\r?\n/).toSorted(), expected.toSorted());
  for (const name of expected) assert.ok(existsSync(path.join(copy, name)), name);
});
