// Tells the test what only an extension can ask an editor: whether the extension under test runs, which tools the editor
// offers to its agents, and what one of them answers. Each command writes one file, whole.
"use strict";

const { readFileSync, renameSync, writeFileSync } = require("node:fs");
const vscode = require("vscode");

/** What the test wants to know; it comes by a file, since the editor passes no arguments to commands of the palette. */
const report = process.env.HOST_TEST_REPORT;
const request = () => JSON.parse(readFileSync(`${report}.request`, "utf8"));

function write(value) {
  writeFileSync(`${report}.part`, JSON.stringify(value));
  renameSync(`${report}.part`, report);
}

function look() {
  const { extension } = request();
  const found = vscode.extensions.getExtension(extension);
  return {
    editor: vscode.version,
    active: found?.isActive ?? false,
    version: found?.packageJSON.version,
    tools: vscode.lm.tools.map(({ name }) => name),
  };
}

async function call() {
  const { tool, input } = request();
  const result = await vscode.lm.invokeTool(tool, { input, toolInvocationToken: undefined });
  return { answer: result.content.map((part) => part.value ?? String(part)) };
}

function command(name, run) {
  return vscode.commands.registerCommand(name, async () => {
    try {
      write(await run());
    } catch (error) {
      write({ error: error?.stack ?? String(error) });
    }
  });
}

exports.activate = (context) => {
  context.subscriptions.push(command("hostCaller.look", look), command("hostCaller.call", call));
};
