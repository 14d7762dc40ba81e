// What one editor window holds while the extension is active, and the one path by which a server becomes ready:
// verify the bundle, find a Python, prepare the environment.
import { mkdir } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import * as vscode from "vscode";
import { type VerifiedBundle, verifyBundle } from "../bundle/bundle.ts";
import { usualLockTimes } from "../environment/lock.ts";
import { type Preparing, prepareEnvironment, removeOldEnvironments } from "../environment/prepare.ts";
import type { CompleteEnvironment } from "../environment/store.ts";
import { unmarkInUse } from "../environment/usage.ts";
import { reasonOf } from "../failure.ts";
import { run } from "../process/run.ts";
import { listCandidates, type SearchInput } from "../python/candidates.ts";
import { type Asking, findInterpreter, look } from "../python/discover.ts";
import { askPythonExtension } from "./pythonExtension.ts";
import { type TaskProgress, withLazyProgress } from "./progress.ts";
import { readPythonPath } from "./settings.ts";

/** A prepared server: what it is made of and where it was installed. */
export interface Prepared {
  readonly bundle: VerifiedBundle;
  readonly environment: CompleteEnvironment;
}

export class Session {
  readonly log: vscode.LogOutputChannel;
  readonly extension: vscode.Extension<unknown>;
  readonly bundleFolder: string;
  readonly storageFolder: string;
  readonly environments: string;
  /** What the last successful preparation gave. */
  last: Prepared | undefined;
  /** Servers that are started at the same moment share one preparation and one notification. */
  private running: Promise<Prepared> | undefined;
  private tidied = false;
  private readonly disposal = new AbortController();

  constructor(context: vscode.ExtensionContext, log: vscode.LogOutputChannel) {
    this.log = log;
    this.extension = context.extension;
    this.bundleFolder = join(context.extensionPath, "python_server");
    this.storageFolder = context.globalStorageUri.fsPath;
    this.environments = join(this.storageFolder, "environments");
  }

  /** Ends what is still running and takes the notes of use back. */
  async dispose(): Promise<void> {
    this.disposal.abort();
    await this.running?.catch(() => {});
    if (this.last) await unmarkInUse(this.last.environment.folder).catch(() => {});
  }

  /** Makes the server ready to start. Throws `Failure` or `Cancelled`. */
  prepare(token: vscode.CancellationToken | undefined, repair: "repair" | "reuse" = "reuse"): Promise<Prepared> {
    if (this.running !== undefined && repair === "reuse") return this.running;
    const before = this.running?.catch(() => {}) ?? Promise.resolve();
    const title = repair === "repair" ? "Repairing the Jupyter MCP server" : "Preparing the Jupyter MCP server";
    const running = before
      .then(() => withLazyProgress(title, token, (progress) => this.prepareNow(progress, repair === "repair")))
      .finally(() => {
        if (this.running === running) this.running = undefined;
      });
    this.running = running;
    return running;
  }

  /** What the search for a Python knows right now. */
  async searchInput(): Promise<SearchInput> {
    const folder = vscode.workspace.workspaceFolders?.find(({ uri }) => uri.scheme === "file");
    return {
      platform: process.platform,
      searchPath: process.env["PATH"] ?? "",
      homeFolder: homedir(),
      workspaceFolder: folder?.uri.fsPath,
      setting: readPythonPath(),
      pythonExtension: await askPythonExtension(folder?.uri, (line) => this.log.warn(line)),
      look,
    };
  }

  /** How interpreters are asked: from the extension's own folder, where nothing can shadow their modules. */
  async asking(signal?: AbortSignal): Promise<Asking> {
    await mkdir(this.storageFolder, { recursive: true });
    return { run, cwd: this.storageFolder, env: process.env, signal };
  }

  private async prepareNow(task: TaskProgress, repair: boolean): Promise<Prepared> {
    const signal = AbortSignal.any([task.signal, this.disposal.signal]);
    const bundle = await verifyBundle(this.bundleFolder);
    const { name, version, wheel } = bundle.manifest;
    this.log.info(`Verified ${wheel.file}: sha256 ${wheel.sha256}`);
    const interpreter = await findInterpreter(listCandidates(await this.searchInput()), await this.asking(signal));
    this.log.info(`Using Python ${interpreter.version.join(".")} at ${interpreter.executable} (${interpreter.source})`);
    const preparing = this.preparing({ ...task, signal }, repair);
    const environment = await prepareEnvironment(bundle, interpreter, preparing);
    this.log.info(`${name} ${version} is ready in ${environment.folder}`);
    await this.remember({ bundle, environment });
    this.tidyOnce(bundle);
    return { bundle, environment };
  }

  private preparing({ progress, signal }: TaskProgress, repair: boolean): Preparing {
    return {
      environments: this.environments,
      run,
      env: process.env,
      platform: process.platform,
      now: () => new Date(),
      log: (line) => this.log.info(line),
      progress,
      signal,
      lockTimes: usualLockTimes,
      repair,
    };
  }

  private async remember(prepared: Prepared): Promise<void> {
    const before = this.last?.environment.folder;
    this.last = prepared;
    if (before !== undefined && before !== prepared.environment.folder) await unmarkInUse(before).catch(() => {});
  }

  /** Old environments are removed once a window, in the background: nobody waits for it. */
  private tidyOnce(bundle: VerifiedBundle): void {
    if (this.tidied) return;
    this.tidied = true;
    const quiet: TaskProgress = { signal: this.disposal.signal, progress: () => {} };
    removeOldEnvironments(bundle, this.preparing(quiet, false)).catch((error: unknown) =>
      this.log.warn(`Old environments were not removed: ${reasonOf(error)}`),
    );
  }
}
