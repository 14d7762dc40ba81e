// The settings of this extension, read where they are needed so that a change counts from the next start.
import * as vscode from "vscode";

const section = "mcpServerJupyter";

export const pythonPathSetting = `${section}.pythonPath`;
export const logLevelSetting = `${section}.logLevel`;

export function readPythonPath(): string {
  return vscode.workspace.getConfiguration(section).get("pythonPath", "");
}

export function readLogLevel(): string {
  return vscode.workspace.getConfiguration(section).get("logLevel", "info");
}

/** Writes the interpreter where it is set now: the workspace if it names one, else the person's own settings. */
export async function writePythonPath(path: string | undefined): Promise<void> {
  const configuration = vscode.workspace.getConfiguration(section);
  const inWorkspace = configuration.inspect("pythonPath")?.workspaceValue !== undefined;
  const target = inWorkspace ? vscode.ConfigurationTarget.Workspace : vscode.ConfigurationTarget.Global;
  await configuration.update("pythonPath", path, target);
}
