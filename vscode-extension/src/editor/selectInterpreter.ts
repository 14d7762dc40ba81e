// The picker of "Select Python Interpreter": every candidate with what it answered, a file dialog, and the way back to
// the automatic choice.
import { dirname } from "node:path";
import * as vscode from "vscode";
import { listChoices, type SearchInput } from "../python/candidates.ts";
import { ask, type Asking } from "../python/discover.ts";
import type { Candidate, Source } from "../python/interpreter.ts";
import { writePythonPath } from "./settings.ts";

interface Choice extends vscode.QuickPickItem {
  /** The path to set, `undefined` to clear the setting. */
  readonly choose: () => Promise<{ path: string | undefined } | undefined>;
}

const origins: Record<Source, string> = {
  setting: "set now",
  pythonExtension: "chosen in the Python extension",
  path: "on PATH",
};

/** Lets the person choose and writes the setting. Returns whether something was chosen. */
export async function selectInterpreter(search: SearchInput, asking: Asking): Promise<boolean> {
  const picked = await vscode.window.showQuickPick(listItems(search, asking), {
    title: "Python for the Jupyter MCP server",
    placeHolder: "Select the Python that creates the server's private environment",
    matchOnDetail: true,
  });
  const chosen = await picked?.choose();
  if (chosen === undefined) return false;
  await writePythonPath(chosen.path);
  return true;
}

async function listItems(search: SearchInput, asking: Asking): Promise<Choice[]> {
  const present = listChoices(search).filter(({ file }) => file !== undefined);
  const answers = await Promise.all(present.map(async (candidate) => itemFor(candidate, asking)));
  const seen = new Set<string>();
  const interpreters = answers.filter(({ detail = "" }) => !seen.has(detail) && seen.add(detail));
  return [
    ...interpreters,
    {
      label: "$(folder-opened) Browse…",
      detail: "Choose the file of an interpreter",
      choose: () => browse(search, asking),
    },
    {
      label: "$(sparkle) Choose automatically",
      detail: "The Python extension's choice, then PATH",
      choose: async () => ({ path: undefined }),
    },
  ];
}

async function itemFor(candidate: Candidate, asking: Asking): Promise<Choice> {
  const answer = await ask(candidate, asking);
  if (typeof answer === "string") {
    return {
      label: `$(circle-slash) ${candidate.label}`,
      description: origins[candidate.source],
      detail: `${candidate.file} ${answer}`,
      choose: () => refuse(candidate.file ?? candidate.label, answer),
    };
  }
  return {
    label: `$(check) ${answer.implementation === "cpython" ? "Python" : answer.implementation} ${answer.version.join(".")}`,
    description: origins[candidate.source],
    detail: answer.executable,
    choose: async () => ({ path: answer.executable }),
  };
}

async function browse(search: SearchInput, asking: Asking): Promise<{ path: string } | undefined> {
  const current = search.workspaceFolder ?? search.homeFolder;
  const files = await vscode.window.showOpenDialog({
    title: "Select a Python interpreter",
    openLabel: "Select Interpreter",
    defaultUri: vscode.Uri.file(current === "" ? dirname(process.execPath) : current),
  });
  const path = files?.[0]?.fsPath;
  if (path === undefined) return undefined;
  const answer = await ask({ source: "setting", label: path, file: path, args: [] }, asking);
  return typeof answer === "string" ? refuse(path, answer) : { path };
}

async function refuse(path: string, reason: string): Promise<undefined> {
  await vscode.window.showErrorMessage(`${path} ${reason}. The setting was not changed.`);
  return undefined;
}
