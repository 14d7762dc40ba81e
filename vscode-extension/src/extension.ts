// Wires the rooms together when the editor activates the extension, and takes them apart at the end. No logic lives here.
import * as vscode from "vscode";
import { registerCommands } from "./editor/commands.ts";
import { ProvenancePage } from "./editor/provenancePage.ts";
import { providerId, ServerProvider } from "./editor/provider.ts";
import { Session } from "./editor/session.ts";
import { logLevelSetting } from "./editor/settings.ts";

let session: Session | undefined;

export function activate(context: vscode.ExtensionContext): void {
  // Some editors built on VS Code name a version that has this call and leave it out.
  if (typeof vscode.lm?.registerMcpServerDefinitionProvider !== "function") {
    void vscode.window.showErrorMessage(
      `Jupyter MCP Server: ${vscode.env.appName} ${vscode.version} cannot take MCP servers from extensions. ` +
        "Use VS Code 1.101 or newer.",
    );
    return;
  }
  const log = vscode.window.createOutputChannel("Jupyter MCP Server", { log: true });
  session = new Session(context, log);
  const provider = new ServerProvider(session);
  const page = new ProvenancePage();
  context.subscriptions.push(
    log,
    provider,
    page,
    registerCommands(session, provider, page),
    vscode.lm.registerMcpServerDefinitionProvider(providerId, provider),
    vscode.workspace.onDidChangeWorkspaceFolders(() => provider.refresh()),
    vscode.workspace.onDidChangeConfiguration((change) => {
      if (change.affectsConfiguration(logLevelSetting)) provider.refresh();
    }),
  );
}

export async function deactivate(): Promise<void> {
  await session?.dispose();
  session = undefined;
}
