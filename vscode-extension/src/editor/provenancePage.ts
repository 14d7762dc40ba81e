// A read-only page for "Show Version and Provenance": it can be copied from and is closed without a question.
import * as vscode from "vscode";

const scheme = "mcp-server-jupyter";

export class ProvenancePage implements vscode.TextDocumentContentProvider {
  private readonly registration = vscode.workspace.registerTextDocumentContentProvider(scheme, this);
  private text = "";
  private shown = 0;

  provideTextDocumentContent(): string {
    return this.text;
  }

  async show(text: string): Promise<void> {
    this.text = text;
    // A new address each time: the editor would show the content it has kept for the old one first.
    this.shown += 1;
    const address = vscode.Uri.from({ scheme, path: "/Version and Provenance.md", query: String(this.shown) });
    try {
      await vscode.commands.executeCommand("markdown.showPreview", address);
    } catch {
      // The Markdown extension can be switched off; the page reads well as text too.
      await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(address), { preview: true });
    }
  }

  dispose(): void {
    this.registration.dispose();
  }
}
