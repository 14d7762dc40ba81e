// Drives the dashboard as a person does, in a real browser, against the real platform.
//
// MCP_PLATFORM names the program, CHROMIUM the browser, BACKENDS the back ends, SCREENSHOTS a folder for pictures.
"use strict";

const { mkdirSync } = require("node:fs");
const path = require("node:path");
const { chromium } = require("playwright-core");
const { Platform } = require("./platform.js");
const { scenarios } = require("./scenarios.js");

const { MCP_PLATFORM, CHROMIUM, SCREENSHOTS, BACKENDS = "process", ONLY } = process.env;

async function main() {
  const browser = await chromium.launch({
    executablePath: CHROMIUM ?? "/usr/bin/chromium",
    // Root has no sandbox of its own to give; the only page that is opened is ours.
    args: ["--disable-gpu", "--disable-background-networking", ...(process.getuid() === 0 ? ["--no-sandbox"] : [])],
  });
  try {
    for (const backend of BACKENDS.split(" ")) {
      for (const [name, scenario] of Object.entries(scenarios)) {
        if (ONLY && name !== ONLY) continue;
        if (scenario.backends && !scenario.backends.includes(backend)) continue;
        await run(browser, backend, name, scenario).catch((error) => {
          console.error(error.stack);
          process.exitCode = 1;
        });
      }
    }
  } finally {
    await browser.close();
  }
}

/** One scenario with a platform, a browser profile and a page of its own. */
async function run(browser, chosen, name, { act, options, only, viewport = { width: 1280, height: 900 } }) {
  const backend = only ?? chosen;
  const platform = await Platform.start(MCP_PLATFORM, backend, options);
  const context = await browser.newContext({ viewport, locale: "en-US", colorScheme: "light" });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const wrong = [];
  // A refusal of the policy, an exception, a script that does not load: none is ever in order.
  page.on("pageerror", (error) => wrong.push(error.message));
  page.on("console", (message) => {
    const refused = /Failed to load resource/.test(message.text());
    if (message.type() === "error" && !refused) wrong.push(message.text());
  });
  const picture = async (title) => {
    if (!SCREENSHOTS) return;
    mkdirSync(SCREENSHOTS, { recursive: true });
    await page.screenshot({ path: path.join(SCREENSHOTS, `${backend}-${title}.png`) });
  };
  try {
    await act({ platform, page, context, picture, backend });
    if (wrong.length > 0) throw new Error(`the page complained: ${wrong.join("\n")}`);
    console.log(`ok ${backend} ${name}`);
  } catch (error) {
    await picture(`failed-${name}`);
    error.message = `${backend} ${name}: ${error.message}\nthe platform said: ${platform.said.slice(-2000)}`;
    throw error;
  } finally {
    await context.close();
    await platform.clean();
  }
}

main().catch((error) => {
  console.error(error.stack ?? error.message);
  process.exitCode = 1;
});
