// How the server is offered to the editor: one for each folder of the workspace, as plain values. Pure; the editor's own
// classes are made of them in editor/provider.ts.
import type { BundleManifest } from "../bundle/manifest.ts";
import { pythonVariables } from "../process/environment.ts";

/** A folder the server may work in. */
export interface Folder {
  readonly name: string;
  readonly path: string;
}

/** What the editor needs to start one server. `null` removes a variable. */
export interface ServerOffer {
  readonly label: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | null>>;
  /** Changes with the bundled wheel, so that the editor asks the server for its tools again. */
  readonly version: string;
}

export const serverName = "Jupyter";

/** One offer for each folder. With several folders each is named, because the editor tells servers apart by label. */
export function offerServers(folders: readonly Folder[], manifest: BundleManifest, logLevel: string): ServerOffer[] {
  const labels = new Map<string, number>();
  return folders.map((folder) => {
    const plain = folders.length === 1 ? serverName : `${serverName} (${folder.name})`;
    const count = (labels.get(plain) ?? 0) + 1;
    labels.set(plain, count);
    return {
      label: count === 1 ? plain : `${plain} ${count}`,
      args: ["--root", folder.path],
      cwd: folder.path,
      // Modules must come from the environment alone, whatever the editor was started with.
      env: { LOG_LEVEL: logLevel.toUpperCase(), ...Object.fromEntries(pythonVariables.map((name) => [name, null])) },
      version: offeredVersion(manifest),
    };
  });
}

/** The server's version and the commit it was built from, as in `0.1.0+1a2b3c4d5e6f`. */
export function offeredVersion(manifest: BundleManifest): string {
  return `${manifest.version}+${manifest.commit.slice(0, 12)}${manifest.dirty ? ".dirty" : ""}`;
}
