// `npm run test:host`: installs the finished .vsix into a real editor and looks at it as a person would. What is tested is
// the package, never this folder's sources; `cargo xtask test host` hands it over.
"use strict";

const assert = require("node:assert/strict");
const { copyFileSync, cpSync, mkdtempSync, realpathSync, rmSync } = require("node:fs");
const { execFileSync } = require("node:child_process");
const { tmpdir } = require("node:os");
const path = require("node:path");
const { test } = require("node:test");
const { installExtensions, prepare, start } = require("./editor.js");
const { installHost } = require("./install.js");
const { requireMachine } = require("./machine.js");
const { readRequest } = require("./request.js");
const { Stop, explain } = require("./stop.js");
const { hostsFor } = require("./versions.js");
const { openWorkbench } = require("./workbench.js");

const extensionFolder = path.resolve(__dirname, "..", "..");
const cache = path.join(extensionFolder, ".vscode-test", "host");
const manifest = require("../../package.json");
const identity = `${manifest.publisher}.${manifest.name}`;

/** How the extension names its server in a workspace of one folder. */
const serverLabel = "Jupyter";

/** Whether a line of the list is the server's; a line says in which state its server is. */
const isServer = (line) => line.includes(serverLabel) && /Stopped|Starting|Running|Error/.test(line);

/** Seconds in which the private environment must be made: the server's packages come over the network. */
const environmentSeconds = 300;

/** Packages the caller, the only thing that is installed beside the extension. */
function packageCaller(folder) {
  const [source, file] = [path.join(folder, "caller"), path.join(folder, "caller.vsix")];
  cpSync(path.join(__dirname, "caller"), source, { recursive: true });
  const vsce = path.join(extensionFolder, "node_modules", "@vscode", "vsce", "vsce");
  const args = ["package", "--no-dependencies", "--allow-missing-repository", "--skip-license", "--out", file];
  execFileSync(process.execPath, [vsce, ...args], { cwd: source, stdio: "pipe" });
  return file;
}

/** The editor's name of a server's tool ends with the tool's own name. */
const offered = (tools, name) => tools.find((tool) => tool.endsWith(`_${name}`));

/** Asks until the answer fits; a notification that tells of an error ends it at once. */
async function until(workbench, fits, request) {
  const deadline = Date.now() + environmentSeconds * 1000;
  for (;;) {
    const seen = await workbench.ask("Host Caller: Look", request);
    if (fits(seen)) return seen;
    const said = await workbench.notifications();
    assert.ok(Date.now() < deadline, `after ${environmentSeconds} s: ${JSON.stringify({ seen, said })}`);
    await workbench.wait(2000);
  }
}

/** One check. One that fails ends the run: what comes after it needs it. */
async function step(t, name, run) {
  let failure;
  await t.test(name, async () => {
    try {
      await run();
    } catch (error) {
      failure = error;
      throw error;
    }
  });
  if (failure) throw failure;
}

/** Everything a person does with the extension. */
async function useExtension(t, host, workbench, { tools, call }) {
  const request = { extension: identity };
  await step(t, `the extension is activated by a ${host.activatedBy}, and its server is listed`, async () => {
    if (host.activatedBy === "command") await workbench.command("Jupyter MCP Server: Show Log");
    const lines = await workbench.list("MCP: List Servers", isServer);
    assert.ok(
      lines.some((line) => line.includes(manifest.contributes.mcpServerDefinitionProviders[0].label)),
      lines.join("; "),
    );
    const seen = await workbench.ask("Host Caller: Look", request);
    assert.deepEqual([seen.editor, seen.active, seen.version], [host.vscode, true, manifest.version]);
  });
  await step(t, "it starts from its private environment and lists the tools of the proof", async () => {
    await workbench.list("MCP: List Servers", isServer);
    await workbench.pick(serverLabel);
    await workbench.pick("Start Server");
    const seen = await until(workbench, (look) => tools.every((name) => offered(look.tools, name)), request);
    const own = seen.tools.filter((name) => name.includes(serverLabel.toLowerCase()));
    assert.equal(own.length, tools.length, own.join(", "));
    await workbench.list("MCP: List Servers", (line) => isServer(line) && line.includes("Running"));
  });
  await step(t, `a call of ${call.tool} is answered by the server`, async () => {
    const seen = await workbench.ask("Host Caller: Look", request);
    const calling = { tool: offered(seen.tools, call.tool), input: call.arguments };
    const outcome = await workbench.ask("Host Caller: Call", calling);
    assert.equal(outcome.error, undefined);
    assert.ok(outcome.answer.length > 0 && outcome.answer[0] !== "", JSON.stringify(outcome));
    assert.doesNotMatch(String(outcome.answer[0]), /^error/i);
  });
  await step(t, "it stops when it is told to", async () => {
    await workbench.list("MCP: List Servers", isServer);
    await workbench.pick(serverLabel);
    await workbench.pick("Stop Server");
    await workbench.list("MCP: List Servers", (line) => isServer(line) && line.includes("Stopped"));
  });
}

/** Where a run has its folder: sockets lie in it, whose names may have 104 bytes. */
const temporary = tmpdir().length > 40 ? "/tmp" : tmpdir();

/** Signals that end a run early; what it started goes first. */
const ending = ["SIGINT", "SIGTERM", "SIGHUP"];

/** One editor, from its first start to its end. */
async function tryHost(t, { host, program }, browser, request) {
  const folder = realpathSync(mkdtempSync(path.join(temporary, "host-")));
  const screenshots = path.join(cache, "failed", host.name);
  rmSync(screenshots, { recursive: true, force: true });
  let editor, workbench, left;
  const leave = () => (left ??= Promise.resolve(workbench?.close()).then(() => editor?.stop()));
  const remove = () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  const interrupt = () => leave().finally(() => (remove(), process.exit(130)));
  for (const name of ending) process.on(name, interrupt);
  const call = prepare(program, folder);
  try {
    await step(t, "the package is installed", () => {
      const listed = installExtensions(call, [request.vsix, packageCaller(folder)]);
      assert.ok(listed.split(/\r?\n/).includes(`${identity}@${manifest.version}`), listed);
    });
    editor = await start(call);
    const { address } = editor;
    workbench = await openWorkbench({ browser, address, folder: call.workspace, report: call.report, screenshots });
    await useExtension(t, host, workbench, request);
    await step(t, "nothing of it is left running", leave);
  } catch (error) {
    const file = left ? undefined : await workbench?.screenshot("window").catch(() => undefined);
    if (file) copyFileSync(call.log, path.join(screenshots, "editor.log"));
    if (file) error.message += `\nwhat was on the screen: ${file}`;
    throw error;
  } finally {
    await leave();
    for (const name of ending) process.off(name, interrupt);
    remove();
  }
}

/** Checks and installs everything before anything is tried, then tries one editor after another. */
function main() {
  const hosts = hostsFor(process.env.VSCODE_HOST);
  const request = readRequest(process.env);
  const { browser } = requireMachine(process.env, process.platform);
  const say = (text) => console.log(text);
  const installed = hosts.map((host) => ({ host, program: installHost(host, cache, say) }));
  for (const one of installed) {
    test(`${one.host.name}: VS Code ${one.host.vscode}`, (t) => tryHost(t, one, browser, request));
  }
}

try {
  main();
} catch (error) {
  if (!(error instanceof Stop)) throw error;
  console.error(explain(error));
  process.exitCode = error.exitCode;
}
