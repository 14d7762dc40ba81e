// Shows failures to the person, with the buttons that help.
import * as vscode from "vscode";
import { Cancelled, Failure, reasonOf, type Remedy } from "../failure.ts";

const buttons: Record<Remedy, { readonly title: string; readonly command: string }> = {
  showLog: { title: "Show Log", command: "mcpServerJupyter.showLog" },
  repairEnvironment: { title: "Repair Environment", command: "mcpServerJupyter.repairEnvironment" },
  selectInterpreter: { title: "Select Interpreter", command: "mcpServerJupyter.selectInterpreter" },
  retry: { title: "Try Again", command: "mcpServerJupyter.restart" },
};

/** Logs the failure and shows it. Returns at once: whoever failed does not wait for the person to read. */
export function reportFailure(error: unknown, log: vscode.LogOutputChannel): void {
  if (error instanceof Cancelled) {
    log.info("Cancelled. Nothing was left behind.");
    return;
  }
  const message = reasonOf(error);
  log.error(error instanceof Failure ? message : error instanceof Error ? error : message);
  const remedies: readonly Remedy[] = error instanceof Failure ? error.remedies : ["showLog"];
  const titles = remedies.map((remedy) => buttons[remedy].title);
  vscode.window.showErrorMessage(`Jupyter MCP Server: ${message}`, ...titles).then((title) => {
    const remedy = remedies.find((one) => buttons[one].title === title);
    if (remedy !== undefined) void vscode.commands.executeCommand(buttons[remedy].command);
  });
}
