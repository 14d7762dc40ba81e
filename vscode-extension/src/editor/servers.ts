// Starts and stops our servers through the editor's own commands. The extension API has no call for it; where an editor
// lacks the commands, the list of servers is opened, in which the person can do the same by hand.
import * as vscode from "vscode";
import { reasonOf } from "../failure.ts";

const commands = {
  restart: "workbench.mcp.restartServer",
  stop: "workbench.mcp.stopServer",
  list: "workbench.mcp.listServer",
} as const;

/** The ids the editor gives to our servers: the extension's id in lower case, and the label. */
function serverIds(extensionId: string, labels: readonly string[]): string[] {
  return labels.map((label) => `${extensionId.toLowerCase()}/${label}`);
}

/** Restarts, or stops, the servers with these labels. */
export async function controlServers(
  act: "restart" | "stop",
  extensionId: string,
  labels: readonly string[],
  log: vscode.LogOutputChannel,
): Promise<void> {
  const known = await vscode.commands.getCommands(false);
  if (known.includes(commands[act])) {
    const results = await Promise.allSettled(
      serverIds(extensionId, labels).map((id) => vscode.commands.executeCommand(commands[act], id)),
    );
    // A start that fails in our own preparation was shown when it failed; the editor hands the same failure back here.
    for (const result of results) {
      if (result.status === "rejected") log.warn(`The editor could not ${act} a server: ${reasonOf(result.reason)}`);
    }
  } else if (act === "restart" && known.includes(commands.list)) {
    await vscode.commands.executeCommand(commands.list);
  }
}
