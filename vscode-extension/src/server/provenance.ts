// What "Show Version and Provenance" says: where the running server comes from, and whether that was checked. Pure.
import type { BundleManifest } from "../bundle/manifest.ts";
import type { Marker } from "../environment/marker.ts";

/** Everything known at the moment of asking. */
export interface Provenance {
  readonly extensionVersion: string;
  readonly extensionFolder: string;
  readonly bundle:
    | { readonly manifest: BundleManifest; readonly problem: string | undefined }
    | { readonly manifest: undefined; readonly problem: string };
  /** The environment servers were last started from, or that would be used; undefined before the first start. */
  readonly environment:
    { readonly folder: string; readonly marker: Marker; readonly problems: readonly string[] } | undefined;
}

/** A Markdown page. */
export function describeProvenance({ extensionVersion, extensionFolder, bundle, environment }: Provenance): string {
  const lines = ["# Jupyter MCP Server: version and provenance", "", "## Bundle", ""];
  const { manifest } = bundle;
  lines.push(row("Extension", extensionVersion), row("Folder", code(extensionFolder)));
  if (manifest) {
    lines.push(
      row("Server", `${manifest.name} ${manifest.version}`),
      row("Commit", code(manifest.commit) + (manifest.dirty ? " with uncommitted changes" : "")),
      row("Wheel", `${code(manifest.wheel.file)}, ${manifest.wheel.size} bytes`),
      row("Wheel sha256", code(manifest.wheel.sha256)),
      row("Requirements sha256", code(manifest.requirements.sha256)),
    );
  }
  lines.push(
    row("Verified", bundle.problem ?? "yes: the bytes of the wheel and the requirements are those of the manifest"),
    "",
    "## Environment",
    "",
  );
  if (environment === undefined) {
    lines.push("None yet. It is created when the server is started for the first time.");
  } else {
    const { folder, marker, problems } = environment;
    lines.push(
      row("Folder", code(folder)),
      row("Created", `${marker.createdAt}, by ${marker.implementation} ${marker.pythonVersion}`),
      row("Interpreter", code(marker.interpreter)),
      row("Installed from wheel", code(marker.wheelSha256)),
      row(
        "Verified",
        problems.length === 0
          ? "yes: every file of the installed server has the bytes it has in the bundled wheel"
          : `NO: ${problems.join("; ")}`,
      ),
    );
  }
  return `${lines.join("\n")}\n`;
}

function row(name: string, value: string): string {
  return `- **${name}:** ${value}`;
}

function code(text: string): string {
  return `\`${text}\``;
}
