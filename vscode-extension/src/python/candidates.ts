// Which interpreters to ask, in which order. Pure: the file system is one question, passed in as a function.
import { posix, win32 } from "node:path";
import type { Candidate } from "./interpreter.ts";

/** What the search knows of the machine and the editor. */
export interface SearchInput {
  readonly platform: NodeJS.Platform;
  /** The value of PATH. */
  readonly searchPath: string;
  readonly homeFolder: string;
  /** The first folder of the workspace, when there is one. */
  readonly workspaceFolder: string | undefined;
  /** The setting `mcpServerJupyter.pythonPath`; empty when not set. */
  readonly setting: string;
  /** The interpreter chosen in the Python extension, when it is installed and has one. */
  readonly pythonExtension: string | undefined;
  /** What lies at a path, links followed. */
  readonly look: (path: string) => "file" | "folder" | "nothing";
}

/** Newer minor versions than `python3` may be installed beside an old system Python, under their full names. */
const versionedNames = ["python3.14", "python3.13", "python3.12", "python3.11", "python3.10"];

/** The candidates in the order they are tried. A setting is the person's word: nothing else is tried then. */
export function listCandidates(input: SearchInput): Candidate[] {
  const setting = input.setting.trim();
  if (setting !== "") return [fromSetting(setting, input)];
  const candidates: Candidate[] = [];
  if (input.pythonExtension !== undefined && input.pythonExtension !== "") {
    candidates.push(fromPythonExtension(input.pythonExtension, input));
  }
  return [...candidates, ...fromSearchPath(input)];
}

/** Every interpreter there is to choose from, for the picker: the setting does not hide the others. */
export function listChoices(input: SearchInput): Candidate[] {
  const others = listCandidates({ ...input, setting: "" });
  return input.setting.trim() === "" ? others : [...listCandidates(input), ...others];
}

function fromSetting(setting: string, input: SearchInput): Candidate {
  return { source: "setting", label: setting, file: resolvePath(expandPath(setting, input), input), args: [] };
}

function fromPythonExtension(path: string, input: SearchInput): Candidate {
  return { source: "pythonExtension", label: path, file: resolvePath(path, input), args: [] };
}

function fromSearchPath(input: SearchInput): Candidate[] {
  const windows = input.platform === "win32";
  const names: ReadonlyArray<readonly [string, readonly string[]]> = windows
    ? [
        ["python3", []],
        ["python", []],
        ["py", ["-3"]],
      ]
    : ["python3", "python", ...versionedNames].map((name) => [name, []] as const);
  return names.map(([name, args]) => ({
    source: "path",
    label: [name, ...args].join(" "),
    file: lookUp(name, input),
    args,
  }));
}

/** Replaces `~`, `${userHome}` and `${workspaceFolder}`. A variable without a value stays and is not found later. */
export function expandPath(
  path: string,
  { homeFolder, workspaceFolder }: Pick<SearchInput, "homeFolder" | "workspaceFolder">,
): string {
  return path
    .replace(/^~(?=$|[\\/])/, () => homeFolder)
    .replaceAll("${userHome}", () => homeFolder)
    .replaceAll("${workspaceFolder}", () => workspaceFolder ?? "${workspaceFolder}");
}

/** A path of an interpreter, the folder of an environment, or a name to look up; as an absolute path. */
function resolvePath(path: string, input: SearchInput): string | undefined {
  const { isAbsolute, join, resolve } = input.platform === "win32" ? win32 : posix;
  if (!/[\\/]/.test(path)) return lookUp(path, input);
  if (!isAbsolute(path) && input.workspaceFolder === undefined) return undefined;
  const absolute = isAbsolute(path) ? path : resolve(input.workspaceFolder ?? "", path);
  const kind = input.look(absolute);
  if (kind === "file") return absolute;
  if (kind === "nothing") return undefined;
  const inside = input.platform === "win32" ? ["Scripts\\python.exe", "python.exe"] : ["bin/python3", "bin/python"];
  return inside.map((name) => join(absolute, name)).find((name) => input.look(name) === "file");
}

/** Finds a name on PATH. Relative entries are skipped: they would make the working folder decide what runs. */
function lookUp(name: string, input: SearchInput): string | undefined {
  const windows = input.platform === "win32";
  const { delimiter, isAbsolute, join } = windows ? win32 : posix;
  const fileName = windows && !/\.exe$/i.test(name) ? `${name}.exe` : name;
  for (const entry of input.searchPath.split(delimiter)) {
    const folder = windows ? entry.replace(/^"(.*)"$/, "$1") : entry;
    if (!isAbsolute(folder)) continue;
    const file = join(folder, fileName);
    if (input.look(file) === "file") return file;
  }
  return undefined;
}
