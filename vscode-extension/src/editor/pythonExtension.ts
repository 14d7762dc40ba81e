// Asks the Python extension which interpreter the person chose, through its published API. It is optional: without it,
// or when it does not answer, the search goes on with PATH.
import * as vscode from "vscode";
import { reasonOf } from "../failure.ts";

/** The part of the API of `ms-python.python` that is used here. */
interface PythonExtensionApi {
  readonly environments: {
    getActiveEnvironmentPath(resource?: vscode.Uri): { readonly path: string };
    resolveEnvironment(
      environment: unknown,
    ): Promise<{ readonly executable: { readonly uri?: vscode.Uri } } | undefined>;
  };
}

const patienceMs = 10_000;

/** The path of the chosen interpreter, or undefined when there is none to be had. */
export async function askPythonExtension(
  resource: vscode.Uri | undefined,
  log: (line: string) => void,
): Promise<string | undefined> {
  // In Restricted Mode its choice may be an interpreter that lies in the workspace.
  if (!vscode.workspace.isTrusted) return undefined;
  const extension = vscode.extensions.getExtension<PythonExtensionApi>("ms-python.python");
  if (extension === undefined) return undefined;
  try {
    return await withPatience(choiceOf(extension, resource));
  } catch (error) {
    log(`The Python extension did not tell its interpreter: ${reasonOf(error)}`);
    return undefined;
  }
}

async function choiceOf(
  extension: vscode.Extension<PythonExtensionApi>,
  resource: vscode.Uri | undefined,
): Promise<string | undefined> {
  const { environments } = extension.isActive ? extension.exports : await extension.activate();
  const active = environments.getActiveEnvironmentPath(resource);
  const resolved = await environments.resolveEnvironment(active);
  return resolved?.executable.uri?.fsPath ?? active.path;
}

async function withPatience<T>(answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${patienceMs / 1000} seconds`)), patienceMs);
  });
  try {
    return await Promise.race([answer, silence]);
  } finally {
    clearTimeout(timer);
  }
}
