// npm, run by the Node.js whose native modules are wanted.
"use strict";

const { spawnSync } = require("node:child_process");
const { existsSync, readFileSync, writeFileSync } = require("node:fs");
const path = require("node:path");
const { Stop, exitCodes } = require("./stop.js");

/** What npm writes when it cannot reach its registry. */
const offline = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH/;

/** The npm that runs this script; npm says where it lies. */
function npmScript(environment) {
  const script = environment.npm_execpath;
  if (script && existsSync(script)) return script;
  throw new Stop(exitCodes.usage, "this script is run by npm", ["cargo xtask test host"]);
}

/**
 * The environment for npm: its own Node.js first on PATH, with that one's headers when they lie beside it, and nothing
 * that the outer npm said about itself except where packages come from.
 */
function npmEnvironment(node, environment) {
  const kept = Object.entries(environment).filter(
    ([name]) => !/^npm_(lifecycle|package|command|node|execpath)/i.test(name),
  );
  const root = path.dirname(path.dirname(node));
  const headers = existsSync(path.join(root, "include", "node", "node.h")) ? { npm_config_nodedir: root } : {};
  const first = `${path.dirname(node)}${path.delimiter}${environment.PATH ?? ""}`;
  return { ...Object.fromEntries(kept), ...headers, PATH: first };
}

/** Runs npm, and throws what it wrote when it fails. */
function npm(node, folder, args) {
  const quiet = ["--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"];
  run(node, folder, [npmScript(process.env), ...args, ...quiet], `npm ${args.join(" ")}`);
}

/** Compiles the native module of one package by the node-gyp that npm carries. */
function compile(node, folder) {
  const gyp = path.join(path.dirname(npmScript(process.env)), "..", "node_modules", "node-gyp", "bin", "node-gyp.js");
  run(node, folder, [gyp, "rebuild"], "node-gyp rebuild");
}

function run(node, folder, args, shown) {
  const result = spawnSync(node, args, {
    cwd: folder,
    env: npmEnvironment(node, process.env),
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  if (result.status === 0) return;
  const said = `${result.stdout ?? ""}\n${result.stderr ?? ""}`.trim().split("\n").slice(-40).join("\n");
  const text = `${shown} failed in ${folder}: ${result.error?.message ?? result.signal ?? result.status}\n${said}`;
  if (!offline.test(said)) throw new Error(text);
  throw new Stop(exitCodes.missing, `${text}\nit must reach the configured registry once`, ["npm ping"]);
}

/**
 * Installs one package without running anything of it, and holds it to its pinned bytes. What it depends on is pinned
 * by the list that it carries itself.
 * @param {{ name: string, version: string, integrity: string }} wanted
 */
function installPinned(node, folder, wanted) {
  writeFileSync(path.join(folder, "package.json"), `${JSON.stringify({ private: true })}\n`);
  npm(node, folder, ["install", "--ignore-scripts", "--save-exact", `${wanted.name}@${wanted.version}`]);
  requireIntegrity(JSON.parse(readFileSync(path.join(folder, "package-lock.json"), "utf8")), wanted);
  return path.join(folder, "node_modules", wanted.name);
}

/** Throws unless npm's lock file says that the package has the pinned bytes. */
function requireIntegrity(lock, { name, version, integrity }) {
  const entry = lock.packages?.[`node_modules/${name}`];
  if (entry?.version === version && entry.integrity === integrity) return;
  const found = `${entry?.version ?? "nothing"} with ${entry?.integrity ?? "no digest"}`;
  throw new Error(`${name} is not the pinned package: ${found} instead of ${version} with ${integrity}`);
}

module.exports = { compile, installPinned, npm, npmEnvironment, requireIntegrity };
