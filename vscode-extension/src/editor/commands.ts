// The commands of the palette. Each one is short: the work is done in the other rooms.
import * as vscode from "vscode";
import { readBundleManifest, verifyBundle } from "../bundle/bundle.ts";
import { inspectEnvironment } from "../environment/inspect.ts";
import { listEnvironments, newestEnvironment } from "../environment/store.ts";
import { reasonOf } from "../failure.ts";
import { run } from "../process/run.ts";
import { describeProvenance, type Provenance } from "../server/provenance.ts";
import type { ServerProvider } from "./provider.ts";
import type { ProvenancePage } from "./provenancePage.ts";
import { reportFailure } from "./report.ts";
import { selectInterpreter } from "./selectInterpreter.ts";
import { controlServers } from "./servers.ts";
import type { Session } from "./session.ts";

/** Registers every command that package.json contributes. */
export function registerCommands(session: Session, provider: ServerProvider, page: ProvenancePage): vscode.Disposable {
  const commands: Record<string, () => Promise<void>> = {
    restart: () => restart(session, provider),
    showLog: async () => session.log.show(),
    repairEnvironment: () => repair(session, provider),
    selectInterpreter: () => select(session, provider),
    showProvenance: async () => page.show(describeProvenance(await collectProvenance(session))),
  };
  const registrations = Object.entries(commands).map(([name, act]) =>
    vscode.commands.registerCommand(`mcpServerJupyter.${name}`, async () => {
      try {
        await act();
      } catch (error) {
        reportFailure(error, session.log);
      }
    }),
  );
  return vscode.Disposable.from(...registrations);
}

async function restart(session: Session, provider: ServerProvider): Promise<void> {
  await controlServers("restart", session.extension.id, await labelsOf(provider), session.log);
}

async function repair(session: Session, provider: ServerProvider): Promise<void> {
  // On Windows the files of a running server cannot be replaced.
  await controlServers("stop", session.extension.id, await labelsOf(provider), session.log);
  const { environment } = await session.prepare(undefined, "repair");
  provider.refresh();
  const start = "Start Server";
  const answer = await vscode.window.showInformationMessage(
    `Jupyter MCP Server: a new environment was made and verified in ${environment.folder}.`,
    start,
  );
  if (answer === start) await restart(session, provider);
}

async function select(session: Session, provider: ServerProvider): Promise<void> {
  const chosen = await selectInterpreter(await session.searchInput(), await session.asking());
  if (chosen) await restart(session, provider);
}

async function labelsOf(provider: ServerProvider): Promise<string[]> {
  return (await provider.provideMcpServerDefinitions()).map(({ label }) => label);
}

/** Checks bundle and environment anew, so that the page never repeats an old answer. */
async function collectProvenance(session: Session): Promise<Provenance> {
  const about = {
    extensionVersion: String((session.extension.packageJSON as { version?: unknown }).version),
    extensionFolder: session.extension.extensionPath,
  };
  const manifest = await readBundleManifest(session.bundleFolder).catch(() => undefined);
  // Before the first start of this window the environment of an earlier one is what would be used.
  const environment =
    session.last?.environment ??
    (manifest && newestEnvironment(await listEnvironments(session.environments), manifest));
  try {
    const bundle = await verifyBundle(session.bundleFolder);
    const inspecting = { run, env: process.env, platform: process.platform };
    const problems = environment ? await inspectEnvironment(environment.folder, bundle, inspecting) : [];
    return {
      ...about,
      bundle: { manifest: bundle.manifest, problem: undefined },
      environment: environment && { ...environment, problems },
    };
  } catch (error) {
    const problems = ["the bundle it has to equal is not verified"];
    return {
      ...about,
      bundle: { manifest, problem: `NO: ${reasonOf(error)}` },
      environment: environment && { ...environment, problems },
    };
  }
}
