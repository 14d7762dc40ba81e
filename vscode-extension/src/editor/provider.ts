// Offers the server to the editor. Providing is quick and silent: it reads the manifest and the workspace. The Python,
// the environment and every question to the person come when the editor is about to start a server.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import * as vscode from "vscode";
import { readBundleManifest } from "../bundle/bundle.ts";
import { scriptIn } from "../environment/layout.ts";
import { Cancelled, reasonOf } from "../failure.ts";
import { type Folder, offerServers } from "../server/definition.ts";
import { reportFailure } from "./report.ts";
import type { Session } from "./session.ts";
import { readLogLevel } from "./settings.ts";

export const providerId = "mcpServerJupyter.servers";

export class ServerProvider implements vscode.McpServerDefinitionProvider<vscode.McpStdioServerDefinition> {
  private readonly session: Session;
  private readonly changes = new vscode.EventEmitter<void>();
  readonly onDidChangeMcpServerDefinitions = this.changes.event;

  constructor(session: Session) {
    this.session = session;
  }

  /** Tells the editor to ask again. */
  refresh(): void {
    this.changes.fire();
  }

  dispose(): void {
    this.changes.dispose();
  }

  async provideMcpServerDefinitions(): Promise<vscode.McpStdioServerDefinition[]> {
    const { session } = this;
    try {
      const manifest = await readBundleManifest(session.bundleFolder);
      // Replaced when the server is resolved. It never exists, so nothing can be started in its place.
      const placeholder = scriptIn(
        join(session.environments, "not-prepared"),
        manifest.consoleScript,
        process.platform,
      );
      return offerServers(this.folders(), manifest, readLogLevel()).map(({ label, args, cwd, env, version }) => {
        const definition = new vscode.McpStdioServerDefinition(label, placeholder, [...args], { ...env }, version);
        definition.cwd = vscode.Uri.file(cwd);
        return definition;
      });
    } catch (error) {
      // Without a readable manifest there is nothing to offer, and this is not the moment for a dialog.
      session.log.error(`No server is offered: ${reasonOf(error)}`);
      return [];
    }
  }

  async resolveMcpServerDefinition(
    offered: vscode.McpStdioServerDefinition,
    token: vscode.CancellationToken,
  ): Promise<vscode.McpStdioServerDefinition | undefined> {
    const { session } = this;
    try {
      const { bundle, environment } = await session.prepare(token);
      const command = scriptIn(environment.folder, bundle.manifest.consoleScript, process.platform);
      const definition = new vscode.McpStdioServerDefinition(
        offered.label,
        command,
        offered.args,
        offered.env,
        ...(offered.version === undefined ? [] : [offered.version]),
      );
      if (offered.cwd) definition.cwd = offered.cwd;
      session.log.info(`Starting ${command} ${offered.args.join(" ")}`);
      return definition;
    } catch (error) {
      reportFailure(error, session.log);
      if (error instanceof Cancelled) return undefined;
      throw error;
    }
  }

  /** The folders of this machine. Without any, a folder of the extension's own, so that code can be run all the same. */
  private folders(): Folder[] {
    const local = (vscode.workspace.workspaceFolders ?? []).filter(({ uri }) => uri.scheme === "file");
    if (local.length > 0) return local.map(({ name, uri }) => ({ name, path: uri.fsPath }));
    const scratch = join(this.session.storageFolder, "scratch");
    mkdirSync(scratch, { recursive: true });
    return [{ name: "scratch", path: scratch }];
  }
}
