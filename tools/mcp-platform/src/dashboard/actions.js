// What can be done to a server: the buttons, why one is of no use now, what is asked before, and what came of it.

import { Problem, call } from "./client.js";
import { confirm, message } from "./dialogs.js";
import { obstacle } from "./server.js";
import { announce, element, foreign } from "./text.js";

let current = () => undefined;
let session = () => ({ live: false, me: null });
let updating = () => {};

/** Tells where the present state is, `server(key)` and the session, and what opens the update form. */
export function connectActions(server, present, update) {
  current = server;
  session = present;
  updating = update;
}

/** Every action: its title, and what runs it. */
const actions = {
  start: { title: "Start", run: start },
  stop: { title: "Stop", run: stop },
  restart: { title: "Restart", run: restart },
  scale: { title: "Scale", run: scale },
  update: { title: "Update", run: (server) => updating(server) },
  check: { title: "Check", run: check },
  delete: { title: "Delete", run: remove, danger: true },
};

/** The address of a server, or of something of it. */
export function address(server, rest = "", query = {}) {
  const words = new URLSearchParams({ namespace: server.namespace, ...query });
  return `/api/templates/deployments/${encodeURIComponent(server.name)}/${rest}?${words}`;
}

/** Buttons for some actions. One that is of no use now stays reachable and says why. */
export function actionButtons(server, now, names) {
  const group = element("div", { role: "group", "aria-label": `Actions on ${server.name}`, class: "actions" });
  for (const name of names) group.append(actionButton(server, now, name));
  return group;
}

function actionButton(server, now, name) {
  const { title, danger } = actions[name];
  const why = obstacle(name, server, now);
  const button = element(
    "button",
    {
      type: "button",
      class: danger ? "danger small" : "small",
      "data-action": name,
      "aria-disabled": why ? "true" : null,
      title: why,
      click: () => act(server.key, name),
    },
    title,
    element("span", { class: "unseen" }, " ", foreign(server.name), why ? `: ${why}` : ""),
  );
  return button;
}

async function act(key, name) {
  const server = current(key);
  if (!server) return;
  const why = obstacle(name, server, session());
  if (why) {
    announce(why);
    message(`${actions[name].title} ${server.name}`).failed(
      `${actions[name].title} ${server.name} is not possible now`,
      new Problem(0, { detail: why }),
    );
    return;
  }
  await actions[name].run(server);
}

/** Does something and says what came of it. Returns the answer, or null when it failed. */
export async function perform({ doing, done, failed, request }) {
  const begun = performance.now();
  const said = message(`${doing} …`);
  try {
    const answer = await request();
    const seconds = ((performance.now() - begun) / 1000).toFixed(1);
    said.done(typeof done === "function" ? done(answer) : `${done} (${seconds} s)`);
    return answer;
  } catch (error) {
    const problem = error instanceof Problem ? error : new Problem(0, { detail: error.message });
    said.failed(`${failed}${problem.status ? ` (${problem.status})` : ""}`, problem);
    return null;
  }
}

function post(server, verb, body, words) {
  return perform({
    ...words,
    request: () => call(address(server, `${verb}/`), { method: "POST", body: body ?? {}, where: server.cluster }),
  });
}

async function start(server) {
  await post(
    server,
    "start",
    {},
    {
      doing: `Starting ${server.key}`,
      done: `Started ${server.key}`,
      failed: `${server.key} was not started`,
    },
  );
}

function choice(value, text, { checked = false, destroys = false } = {}) {
  const input = element("input", { type: "radio", name: "mode", value, "data-destroys": destroys });
  input.checked = checked;
  return element("label", { class: "choice" }, input, " ", text);
}

async function stop(server) {
  const answer = await confirm({
    title: `Stop ${server.name}?`,
    explanation: `All instances of ${server.key} end, ${server.ready} of them ready. It can be started again with as many.`,
    action: "Stop",
    type: server.name,
    fields: [
      element(
        "fieldset",
        {},
        element("legend", {}, "How"),
        choice("graceful", "Gracefully: no new sessions, then the present ones end, then the instances", {
          checked: true,
        }),
        choice("force", "By force: at once, sessions are cut off", { destroys: true }),
      ),
    ],
  });
  if (!answer) return;
  const force = answer.get("mode") === "force";
  await post(
    server,
    "stop",
    { force },
    {
      doing: force ? `Stopping ${server.key} by force` : `Stopping ${server.key}`,
      done: `Stopped ${server.key}`,
      failed: `${server.key} was not stopped`,
    },
  );
}

async function restart(server) {
  const answer = await confirm({
    title: `Restart ${server.name}?`,
    explanation: `Every instance of ${server.key} is replaced by a new one; sessions are cut off.`,
    action: "Restart",
  });
  if (!answer) return;
  await post(
    server,
    "restart",
    {},
    {
      doing: `Restarting ${server.key}`,
      done: `Restarted ${server.key}`,
      failed: `${server.key} was not restarted`,
    },
  );
}

async function scale(server) {
  const input = element("input", { type: "number", name: "replicas", min: "0", max: "1000", required: true });
  input.value = String(server.wanted || server.remembered || 1);
  const answer = await confirm({
    title: `Scale ${server.name}`,
    explanation: `${server.wanted} instances are wanted now. Fewer cuts sessions off; 0 stops it.`,
    action: "Scale",
    fields: [element("label", {}, "Instances ", input)],
  });
  if (!answer) return;
  const replicas = Number(answer.get("replicas"));
  await post(
    server,
    "scale",
    { replicas },
    {
      doing: `Scaling ${server.key} to ${replicas}`,
      done: `Scaled ${server.key} to ${replicas}`,
      failed: `${server.key} was not scaled to ${replicas}`,
    },
  );
}

async function check(server) {
  await perform({
    doing: `Checking ${server.key}`,
    done: (answer) => `${server.key} answers: ${answer.steps.map(stepText).join(", ")}`,
    failed: `${server.key} did not pass the check`,
    request: async () => {
      const answer = await call(address(server, "check/"), { method: "POST", body: {}, where: server.cluster });
      if (answer.passed) return answer;
      const failed = answer.steps.filter((step) => step.verdict === "failed");
      const errors = failed.map((step) => ({ parameter: stepText(step), detail: step.reason }));
      throw new Problem(0, { detail: "the server itself was asked, as a client would", errors });
    },
  });
}

const stepText = (step) => [step.instance, step.step, `${step.milliseconds} ms`].filter(Boolean).join(" ");

async function remove(server) {
  const answer = await confirm({
    title: `Delete ${server.name}?`,
    explanation: `${server.key} and everything of it goes, its volumes included. This cannot be undone.`,
    action: "Delete",
    danger: true,
    type: server.name,
  });
  if (!answer) return;
  await perform({
    doing: `Deleting ${server.key}`,
    done: `Deleted ${server.key}`,
    failed: `${server.key} was not deleted`,
    request: () => call(address(server, "delete/"), { method: "DELETE", where: server.cluster }),
  });
}
