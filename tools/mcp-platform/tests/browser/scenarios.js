// What a person does at the dashboard, and what must then be seen.
"use strict";

const assert = require("node:assert/strict");
const { requireAccessible } = require("./accessible.js");

/** The row of a server. */
const rowOf = (page, name) => page.locator(`#rows tr[data-key$="/${name}"]`);
const stateOf = (page, name) => rowOf(page, name).locator(".state");
const dialogOf = (page) => page.locator("dialog:modal").last();

/** Opens the page and waits until it is live. */
async function open(page, platform) {
  await page.goto(platform.address);
  await live(page);
}

const live = (page) => page.locator('#connection[data-state="live"]').waitFor();

async function shows(page, name, state) {
  await stateOf(page, name).filter({ hasText: state }).waitFor();
}

/** The message of something that was done or failed. */
const messageOf = (page, kind, text) => page.locator(`#messages li[data-kind="${kind}"]`).filter({ hasText: text });

/** By keyboard, which reaches a button that is of no use now, too. */
async function press(page, button) {
  await button.focus();
  await page.keyboard.press("Enter");
}

const act = (page, name, action) => press(page, rowOf(page, name).locator(`[data-action="${action}"]`));

/** What others do is seen without loading anew; what is done here is asked for first. */
async function steering({ platform, page, picture }) {
  await open(page, platform);
  await page.locator("#empty").filter({ hasText: "No server is deployed yet" }).waitFor();
  await platform.deploy("echo", { name: "one", configuration: { greeting: "hello" } });
  await shows(page, "one", "running");
  await rowOf(page, "one").locator(".endpoints code").first().waitFor();
  await requireAccessible(page, "the table");

  await act(page, "one", "scale");
  await dialogOf(page).locator("input[name=replicas]").fill("2");
  await dialogOf(page).getByRole("button", { name: "Scale", exact: true }).click();
  await rowOf(page, "one").locator('[data-column="replicas"]').filter({ hasText: "2/2" }).waitFor();
  await messageOf(page, "done", "Scaled").first().waitFor();

  await act(page, "one", "stop");
  await requireAccessible(page, "the question before a stop");
  await dialogOf(page).getByRole("button", { name: "Cancel" }).click();
  await shows(page, "one", "running");
  await act(page, "one", "stop");
  await dialogOf(page).getByRole("button", { name: "Stop", exact: true }).click();
  await shows(page, "one", "stopped");
  await act(page, "one", "start");
  await rowOf(page, "one").locator('[data-column="replicas"]').filter({ hasText: "2/2" }).waitFor();

  // By force: only when the name is typed.
  await act(page, "one", "stop");
  await dialogOf(page).getByLabel("By force").check();
  await dialogOf(page).getByRole("button", { name: "Stop", exact: true }).click();
  await dialogOf(page).getByText("Type one to go on").waitFor();
  await picture("typed");
  await dialogOf(page).getByLabel("Type the name").fill("one");
  await dialogOf(page).getByRole("button", { name: "Stop", exact: true }).click();
  await messageOf(page, "done", "Stopped").first().waitFor();

  await act(page, "one", "delete");
  await dialogOf(page).getByRole("button", { name: "Delete", exact: true }).click();
  await dialogOf(page).getByText("Type one to go on").waitFor();
  await dialogOf(page).getByLabel("Type the name").fill("two");
  await dialogOf(page).getByRole("button", { name: "Delete", exact: true }).click();
  assert.equal(await rowOf(page, "one").count(), 1, "a wrong name deletes nothing");
  await dialogOf(page).getByLabel("Type the name").fill("one");
  await dialogOf(page).getByRole("button", { name: "Delete", exact: true }).click();
  await rowOf(page, "one").waitFor({ state: "detached" });
  await messageOf(page, "done", "Deleted").first().waitFor();
}

/** What the platform refuses is said with its reason and what to do. */
async function refusals({ platform, page, picture }) {
  await platform.deploy("echo", { name: "one", configuration: {} });
  await open(page, platform);
  await shows(page, "one", "running");
  await act(page, "one", "start");
  await messageOf(page, "failed", "It is started already").waitFor();
  await act(page, "one", "scale");
  await dialogOf(page).locator("input[name=replicas]").fill("99");
  await dialogOf(page).getByRole("button", { name: "Scale", exact: true }).click();
  const refusal = messageOf(page, "failed", "was not scaled to 99");
  await refusal.waitFor();
  assert.match(await refusal.innerText(), /10/, "the limit is named");
  await requireAccessible(page, "a refusal");
  await picture("refused");
  await refusal.getByRole("button", { name: "Dismiss" }).click();
  await refusal.waitFor({ state: "detached" });
}

/** A singleton cannot be scaled, and its button says so. */
async function singleton({ platform, page }) {
  await platform.deploy("alone", { name: "notebooks", configuration: {} });
  await open(page, platform);
  await shows(page, "notebooks", "running");
  const button = rowOf(page, "notebooks").locator('[data-action="scale"]');
  assert.equal(await button.getAttribute("aria-disabled"), "true");
  assert.match(await button.innerText(), /singleton/);
  await press(page, button);
  await messageOf(page, "failed", "It is a singleton").waitFor();
  assert.equal(await page.locator("dialog:modal").count(), 0);
}

/** One server in its dialog: every tab, by keyboard alone. */
async function details({ platform, page, picture }) {
  await platform.deploy("echo", { name: "one", configuration: {} });
  await open(page, platform);
  await shows(page, "one", "running");
  await rowOf(page, "one").locator("button.name").focus();
  await page.keyboard.press("Enter");
  const dialog = dialogOf(page);
  await dialog.getByRole("tab", { name: "Overview" }).waitFor();
  await dialog.getByRole("tabpanel").getByText("Revision", { exact: true }).waitFor();
  await requireAccessible(page, "the details");
  await picture("details");
  await dialog.getByRole("tab", { name: "Overview" }).focus();
  for (const tab of ["Instances", "Conditions", "Logs", "Events"]) {
    await page.keyboard.press("ArrowRight");
    await dialog.locator(`[role=tab][aria-selected=true]`).filter({ hasText: tab }).waitFor();
    await requireAccessible(page, `the details, ${tab}`);
    await picture(`details-${tab.toLowerCase()}`);
  }
  await dialog.getByRole("tab", { name: "Logs" }).click();
  await dialog.locator(".log .line").first().waitFor();
  await dialog.getByRole("button", { name: "Pause" }).click();
  await dialog.getByText("Paused").waitFor();
  await dialog.locator('[data-action="check"]').click();
  await messageOf(page, "done", "answers").waitFor();
  await picture("checked");
  // Somebody else deletes it while it is being looked at.
  await platform.call("DELETE", "/api/templates/deployments/one/delete/");
  await dialog.getByText("This server is gone").waitFor();
  await page.keyboard.press("Escape");
  await page.locator("dialog:modal").waitFor({ state: "detached" });
}

/** The form is made from the schema; what breaks it is said at the field. */
async function deploying({ page, platform, picture }) {
  await open(page, platform);
  await page.getByRole("button", { name: "Deploy…" }).click();
  const dialog = dialogOf(page);
  await dialog.getByLabel("Template").selectOption("echo");
  await dialog.getByLabel("Name", { exact: true }).fill("made-here");
  await dialog.getByLabel("greeting").fill("good morning");
  assert.equal(await dialog.getByLabel("token").getAttribute("type"), "password");
  await requireAccessible(page, "the form");
  await picture("deploy");
  // The browser would hold it back; the platform must refuse it as well, at the field.
  await dialog.locator("form").evaluate((form) => (form.noValidate = true));
  await dialog.getByLabel("token").fill("short");
  await dialog.getByRole("button", { name: "Deploy", exact: true }).click();
  await dialog.locator(".field", { hasText: "token" }).locator(".wrong").filter({ hasText: /./ }).waitFor();
  assert.equal(await dialog.getByLabel("token").getAttribute("aria-invalid"), "true");
  await picture("deploy-refused");
  await dialog.getByLabel("token").fill("long enough");
  await dialog.getByRole("button", { name: "Deploy", exact: true }).click();
  await shows(page, "made-here", "running");
  await dialog.waitFor({ state: "detached" });
  const shown = await page.content();
  assert.ok(!shown.includes("long enough"), "a secret is nowhere on the page");
}

/** What is there is filled in; only what was changed is sent. */
async function updating({ page, platform, picture }) {
  await platform.deploy("echo", { name: "one", configuration: { greeting: "hello", token: "long enough" } });
  await open(page, platform);
  await shows(page, "one", "running");
  await rowOf(page, "one").locator("button.name").click();
  await press(page, dialogOf(page).locator('[data-action="update"]'));
  const greeting = page.locator("dialog.update").getByLabel("greeting");
  await greeting.waitFor();
  assert.equal(await greeting.inputValue(), "hello");
  assert.equal(await page.locator("dialog.update").getByLabel("token").inputValue(), "");
  await requireAccessible(page, "the form of an update");
  await picture("update");
  await greeting.fill("good evening");
  await page.locator("dialog.update").getByRole("button", { name: "Update", exact: true }).click();
  await page.locator("dialog.update").waitFor({ state: "detached" });
  await messageOf(page, "done", "Updated").waitFor();
  const { body } = await platform.call("GET", "/api/templates/deployments/one/");
  assert.deepEqual(body.deployment.spec.configuration, { greeting: "good evening" });
}

/** What a server writes is text, whatever it looks like. */
async function hostile({ page, platform, picture }) {
  const request = { name: "hostile", configuration: {} };
  const { status } = await platform.call("POST", "/api/templates/deploy/hostile/?wait=false", request);
  assert.equal(status, 202);
  await open(page, platform);
  await rowOf(page, "hostile").locator("button.name").click();
  await dialogOf(page).getByRole("tab", { name: "Logs" }).click();
  const line = dialogOf(page).locator(".log .line bdi").first();
  await line.waitFor();
  assert.equal(await line.innerText(), "<img src=x onerror=alert(1)> red \ufffdabc");
  assert.equal(await page.locator("img").count(), 0);
  await picture("hostile");
}

/** Cut off: it is said since when, nothing can be done, and it heals by itself. */
async function outage({ platform, page, picture }) {
  await platform.deploy("echo", { name: "one", configuration: {} });
  await open(page, platform);
  await shows(page, "one", "running");
  await platform.stop();
  await page.locator("#outage").filter({ hasText: "Disconnected since" }).waitFor();
  assert.equal(await page.locator("#connection").getAttribute("data-state"), "lost");
  await requireAccessible(page, "cut off");
  await picture("outage");
  const stop = rowOf(page, "one").locator('[data-action="stop"]');
  await page.locator('#rows [data-action="stop"][aria-disabled="true"]').waitFor();
  assert.match(await stop.innerText(), /not connected/);
  await platform.serve();
  await live(page);
  await page.locator("#outage").waitFor({ state: "hidden" });
  await platform.deploy("echo", { name: "two", configuration: {} });
  await shows(page, "two", "running");
}

/** With tokens the page asks for one, keeps it in the tab only, and says when a role is not enough. */
async function tokens({ platform, page, context, picture }) {
  const words = /mcpp_[0-9a-f]+/;
  const make = (role) => words.exec(platform.run("token", "create", `${role}-of-the-test`, "--role", role))[0];
  const admin = make("admin");
  const viewer = make("viewer");
  platform.token = admin;
  await platform.stop();
  await platform.serve();
  await platform.deploy("echo", { name: "one", configuration: {} });
  await page.goto(platform.address);
  const dialog = dialogOf(page);
  await dialog.getByLabel("Bearer token").fill("not-a-token-of-ours");
  await requireAccessible(page, "the token dialog");
  await picture("token");
  await dialog.getByRole("button", { name: "Use it" }).click();
  await dialogOf(page).getByText("does not know this token").waitFor();
  await dialogOf(page).getByLabel("Bearer token").fill(viewer);
  await dialogOf(page).getByRole("button", { name: "Use it" }).click();
  await live(page);
  await shows(page, "one", "running");
  // What the role does not allow is not offered, and says why.
  await page.locator('#rows [data-action="delete"][aria-disabled="true"]').waitFor();
  await act(page, "one", "delete");
  await messageOf(page, "failed", "needs the role admin").waitFor();
  await press(page, page.getByRole("button", { name: "Deploy…" }));
  await messageOf(page, "failed", "Deploying is not possible now").waitFor();
  await picture("forbidden");
  assert.equal(await rowOf(page, "one").count(), 1);
  const kept = await page.evaluate(() => JSON.stringify({ ...localStorage }) + document.cookie + location.href);
  assert.ok(!kept.includes(viewer), "the token is kept in the tab only");
  const other = await context.newPage();
  await other.goto(platform.address);
  await other.locator("dialog.token").waitFor();
  await other.close();
}

/** Light, dark and the switch between them; 360 pixels; all of it by keyboard. */
async function looks({ platform, page, picture }) {
  await platform.deploy("echo", { name: "a-server", configuration: {} });
  await platform.deploy("echo", { name: "b-server", configuration: {}, replicas: 2 });
  await platform.call("POST", "/api/templates/deployments/a-server/stop/", {});
  await open(page, platform);
  await shows(page, "a-server", "stopped");
  await shows(page, "b-server", "running");
  const ground = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  await requireAccessible(page, "light");
  await picture("light");
  const light = await ground();
  await page.emulateMedia({ colorScheme: "dark" });
  const dark = await ground();
  assert.notEqual(light, dark);
  await requireAccessible(page, "dark");
  await picture("dark");
  await page.getByLabel("Theme").selectOption("light");
  assert.equal(await ground(), light);
  await page.reload();
  await live(page);
  assert.equal(await ground(), light, "the choice outlives the page");
  await page.getByLabel("Theme").selectOption("system");

  await page.getByLabel("Search").fill("b-ser");
  await rowOf(page, "a-server").waitFor({ state: "detached" });
  await page.locator("#shown").filter({ hasText: "1 server, filtered from 2" }).waitFor();
  await page.getByLabel("Search").fill("");
  await page.locator("#status-filter").selectOption("stopped");
  await rowOf(page, "b-server").waitFor({ state: "detached" });
  await page.locator("#status-filter").selectOption("");

  await page.setViewportSize({ width: 360, height: 740 });
  await requireAccessible(page, "360 pixels");
  await picture("narrow");
  await rowOf(page, "b-server").locator("button.name").click();
  await requireAccessible(page, "details at 360 pixels");
  await picture("narrow-details");
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Deploy…" }).click();
  await dialogOf(page).getByLabel("Template").waitFor();
  await requireAccessible(page, "the form at 360 pixels");
  await page.keyboard.press("Escape");
  await page.locator("dialog:modal").waitFor({ state: "detached" });
}

/** Of several clusters one is looked at, and what is done is done there. */
async function clusters({ platform, page, picture }) {
  await platform.deploy("echo", { name: "in-east" });
  await platform.deploy("echo", { name: "in-west" }, "west");
  await open(page, platform);
  await shows(page, "in-east", "running");
  const choice = page.getByLabel("Cluster");
  await choice.waitFor();
  assert.equal(await choice.inputValue(), "east");
  await rowOf(page, "in-east").locator("button.name").click();
  await page.keyboard.press("Escape");

  await choice.selectOption("west");
  await shows(page, "in-west", "running");
  assert.equal(await rowOf(page, "in-east").count(), 0);
  await requireAccessible(page, "the table of a chosen cluster");
  await picture("clusters");
  await act(page, "in-west", "stop");
  await dialogOf(page).getByRole("button", { name: "Stop", exact: true }).click();
  await shows(page, "in-west", "stopped");

  await page.reload();
  await shows(page, "in-west", "stopped");
  assert.equal(await choice.inputValue(), "west", "the choice outlives the page");
  await choice.selectOption("east");
  await shows(page, "in-east", "running");
  assert.equal(await rowOf(page, "in-west").count(), 0);

  // A question about a server of one cluster is called off when another one is looked at.
  await act(page, "in-east", "stop");
  await dialogOf(page).waitFor();
  await page.evaluate(() => {
    const select = document.getElementById("cluster");
    select.value = "west";
    select.dispatchEvent(new Event("change"));
  });
  await page.locator("dialog:modal").waitFor({ state: "detached" });
  await shows(page, "in-west", "stopped");
  await choice.selectOption("east");
  await shows(page, "in-east", "running");

  // A choice that the platform does not serve any more.
  await page.evaluate(() => sessionStorage.setItem("mcp-platform-cluster", "gone"));
  await page.reload();
  await shows(page, "in-east", "running");
}

module.exports = {
  scenarios: {
    steering: { act: steering },
    refusals: { act: refusals },
    singleton: { act: singleton },
    updating: { act: updating },
    hostile: { act: hostile, backends: ["process"] },
    details: { act: details },
    deploying: { act: deploying },
    outage: { act: outage },
    tokens: { act: tokens },
    looks: { act: looks },
    clusters: { act: clusters, only: "mock", options: ["--cluster", "east", "--cluster", "west"] },
  },
};
