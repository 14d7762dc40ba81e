// The real `mcp-platform serve` on a port and a state folder of its own.
"use strict";

const { spawn, spawnSync } = require("node:child_process");
const { mkdirSync, mkdtempSync, rmSync, writeFileSync } = require("node:fs");
const net = require("node:net");
const os = require("node:os");
const path = require("node:path");

/** Templates for these tests: a server that may not be doubled, and one that writes what no page should believe. */
const templates = {
  alone: `statefulness = "singleton"
[process]
command = ["{self}"]
[run]
command = ["mcp-platform"]
arguments = ["echo", "--host", "{host}", "--port", "{port}"]
`,
  hostile: `statefulness = "stateless"
[process]
command = ["/bin/sh", "-c", '''printf "<img src=x onerror=alert(1)> \\033[31mred\\033[0m \\342\\200\\256abc\\n"; exec sleep 5''']
[run]
command = ["sh"]
arguments = []
`,
};

const rest = `[image]
reference = "registry.example/test:1"
[transport]
kind = "streamable-http"
path = "/mcp"
port = 8080
[ready]
path = "/ready"
period-seconds = 2
[resources]
cpu-request = "10m"
cpu-limit = "200m"
memory-request = "32Mi"
memory-limit = "128Mi"
`;

function writeTemplates(folder) {
  for (const [id, text] of Object.entries(templates)) {
    mkdirSync(path.join(folder, id), { recursive: true });
    const head = `schema = 1\nid = "${id}"\nversion = "1.0.0"\ntitle = "For a test"\n`;
    writeFileSync(path.join(folder, id, "template.toml"), head + text + rest);
  }
}

/** A port of loopback that is free now. */
function freePort() {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** A platform that can be stopped and started again at the same address, with the same servers. */
class Platform {
  constructor(program, backend, options, port) {
    this.program = program;
    this.options = options;
    this.backend = backend;
    this.port = port;
    this.address = `http://127.0.0.1:${port}`;
    this.folder = mkdtempSync(path.join(os.tmpdir(), "mcp-browser-"));
    this.templates = path.join(this.folder, "templates");
    writeTemplates(this.templates);
    this.token = null;
    this.said = "";
  }

  static async start(program, backend, options = []) {
    const platform = new Platform(program, backend, options, await freePort());
    await platform.serve();
    return platform;
  }

  get environment() {
    return {
      PATH: process.env.PATH,
      HOME: this.folder,
      MCP_STATE_DIR: path.join(this.folder, "state"),
      MCP_TEMPLATES: this.templates,
      MCP_DEPLOYMENT_BACKEND: this.backend,
    };
  }

  /** Runs one verb to its end and returns what it printed. */
  run(...words) {
    const done = spawnSync(this.program, words, { env: this.environment, cwd: this.folder, encoding: "utf8" });
    if (done.status === 0) return done.stdout;
    throw new Error(`mcp-platform ${words[0]} ended with ${done.status}: ${done.stderr}`);
  }

  /** Starts to listen, and returns once it answers. */
  async serve() {
    const words = ["serve", "--listen", `127.0.0.1:${this.port}`, "--rate", "0", "--fault-timeout", "3", ...this.options];
    const options = { env: this.environment, cwd: this.folder, stdio: ["ignore", "ignore", "pipe"] };
    this.process = spawn(this.program, words, options);
    this.ended = new Promise((resolve) => this.process.once("exit", resolve));
    this.process.stderr.setEncoding("utf8").on("data", (text) => (this.said += text));
    const deadline = Date.now() + 20_000;
    for (;;) {
      if (this.process.exitCode !== null) throw new Error(`mcp-platform serve ended: ${this.said}`);
      const answer = await fetch(`${this.address}/health`).catch(() => null);
      if (answer?.ok) return;
      if (Date.now() > deadline) throw new Error(`mcp-platform serve does not answer: ${this.said}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Ends it as an administrator would, and waits until it has ended. */
  async stop() {
    if (this.process?.exitCode !== null) return;
    this.process.kill("SIGTERM");
    const late = setTimeout(() => this.process.kill("SIGKILL"), 10_000);
    await this.ended;
    clearTimeout(late);
  }

  /** Asks the REST API. */
  async call(method, route, body) {
    const headers = { Accept: "application/json" };
    if (this.token) headers.Authorization = `Bearer ${this.token}`;
    if (body !== undefined) headers["Content-Type"] = "application/json";
    const request = { method, headers, body: body === undefined ? undefined : JSON.stringify(body) };
    const answer = await fetch(`${this.address}${route}`, request);
    const text = await answer.text();
    return { status: answer.status, body: text ? JSON.parse(text) : null };
  }

  /** Deploys, and throws when it was not. */
  async deploy(template, request, cluster = null) {
    const query = cluster ? `?cluster=${cluster}` : "";
    const { status, body } = await this.call("POST", `/api/templates/deploy/${template}/${query}`, request);
    if (status >= 300) throw new Error(`deploy answered ${status}: ${JSON.stringify(body)}`);
    return body.deployment;
  }

  /** Deletes every server that is left, ends, and removes the folder. */
  async clean() {
    try {
      const { body } = await this.call("GET", "/api/templates/deployments/");
      for (const each of body?.deployments ?? []) {
        await this.call("DELETE", `/api/templates/deployments/${each.name}/delete/?namespace=${each.namespace}`);
      }
    } finally {
      await this.stop();
      rmSync(this.folder, { recursive: true, force: true });
    }
  }
}

module.exports = { Platform };
