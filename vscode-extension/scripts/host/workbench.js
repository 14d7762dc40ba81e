// The editor's window in a browser, used by keyboard and mouse as a person uses it.
"use strict";

const { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } = require("node:fs");
const path = require("node:path");
const { chromium } = require("playwright-core");

/** No look around, no accounts, no updates of the browser's own. */
const browserArguments = [
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/**
 * Opens a folder in the editor.
 * @param {{ browser: string, address: string, folder: string, report: string, screenshots: string }} options
 */
async function openWorkbench({ browser, address, folder, report, screenshots }) {
  // Who ends this run early ends the browser, too; it does not do so on its own.
  const signals = { handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false };
  const running = await chromium.launch({ executablePath: browser, args: browserArguments, ...signals });
  const page = await running.newPage({ viewport: { width: 1400, height: 900 }, locale: "en-US" });
  try {
    await page.goto(`${address}/?folder=${encodeURIComponent(folder)}`, { waitUntil: "domcontentloaded" });
    await page.locator(".monaco-workbench").waitFor({ timeout: 90_000 });
  } catch (error) {
    await running.close();
    throw error;
  }
  const rows = page.locator(".quick-input-list .monaco-list-row");

  /** Runs a command by its title, as the palette shows it once the extension of the command is known. */
  async function command(title) {
    for (let tries = 0; ; tries += 1) {
      await page.keyboard.press("Escape");
      await page.keyboard.press("F1");
      const input = page.locator(".quick-input-widget input.input").first();
      await input.waitFor({ state: "visible" });
      await input.fill(`>${title}`);
      const line = rows.filter({ hasText: title }).first();
      const found = await line.click({ timeout: 5_000 }).then(
        () => true,
        (error) => tries === 20 && Promise.reject(error),
      );
      if (found) return;
    }
  }

  /**
   * Opens a list by its command until its lines fit, and returns them: a list that is open does not learn of what
   * happens later.
   */
  async function list(title, fits) {
    for (let tries = 0; ; tries += 1) {
      await command(title);
      let lines = [];
      for (let looks = 0; looks < 20; looks += 1) {
        lines = await rows.allInnerTexts();
        if (lines.some(fits)) return lines;
        await page.waitForTimeout(250);
      }
      if (tries === 20) throw new Error(`"${title}" does not come to list it, but: ${JSON.stringify(lines)}`);
    }
  }

  /** Picks the line with this text. */
  async function pick(text) {
    await rows.filter({ hasText: text }).first().click({ timeout: 60_000 });
  }

  /** Allows what the editor asks the person to allow; for tools that change nothing it does not ask. */
  async function allow() {
    const button = page.locator(".monaco-dialog-box .monaco-button").filter({ hasText: /^(Yes|Allow|Continue)$/ });
    if (await button.first().isVisible()) await button.first().click();
  }

  /** Runs a command of the caller's and returns what it reports. */
  async function ask(title, request, seconds = 60) {
    rmSync(report, { force: true });
    writeFileSync(`${report}.request`, JSON.stringify(request));
    await command(title);
    const deadline = Date.now() + seconds * 1000;
    while (!existsSync(report)) {
      if (Date.now() > deadline) throw new Error(`"${title}" said nothing within ${seconds} s`);
      await allow();
      await page.waitForTimeout(200);
    }
    return JSON.parse(readFileSync(report, "utf8"));
  }

  /** Keeps what is on the screen. */
  async function screenshot(name) {
    mkdirSync(screenshots, { recursive: true });
    const file = path.join(screenshots, `${name}.png`);
    await page.screenshot({ path: file });
    return file;
  }

  /** The messages that are shown to the person. */
  const notifications = () => page.locator(".notification-list-item-message").allInnerTexts();

  const wait = (milliseconds) => page.waitForTimeout(milliseconds);
  return { ask, close: () => running.close(), command, list, notifications, pick, screenshot, wait };
}

module.exports = { openWorkbench };
