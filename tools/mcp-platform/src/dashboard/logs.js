// The lines that a server writes, live: followed, paused, of one instance or of all, and never more than fit.

import { Problem, streamLines } from "./client.js";
import { problemElement } from "./dialogs.js";
import { address } from "./actions.js";
import { clean, clock, element } from "./text.js";

const most = 2000;
const first = 500;

/** What the panel is made of. */
function parts(server) {
  const instance = element("select", {}, element("option", { value: "" }, "All instances"));
  for (const each of server.instances) instance.append(element("option", { value: each.name }, each.name));
  const pause = element("button", { type: "button", class: "small", "aria-pressed": "false" }, "Pause");
  const previous = element("input", { type: "checkbox" });
  const output = element("div", { class: "log", role: "log", "aria-live": "off", "aria-label": "Log", tabindex: "0" });
  const state = element("p", { role: "status", class: "log-state" });
  const panel = element(
    "div",
    { class: "logs" },
    element(
      "div",
      { class: "log-tools" },
      element("label", {}, "Instance ", instance),
      element("label", { class: "choice" }, previous, " Before the last restart"),
      pause,
      element("button", { type: "button", class: "small", click: () => output.replaceChildren() }, "Clear"),
    ),
    output,
    state,
  );
  return { instance, pause, previous, output, state, panel };
}

/** The panel for a server's lines; `stop()` ends the stream. */
export function logPanel(server) {
  let running = new AbortController();
  let waiting = [];
  let due = false;

  const { instance, pause, previous, output, state, panel } = parts(server);
  const paused = () => pause.getAttribute("aria-pressed") === "true";

  function write() {
    due = false;
    if (paused()) {
      state.textContent = `Paused; ${waiting.length} new ${waiting.length === 1 ? "line waits" : "lines wait"}`;
      return;
    }
    const atEnd = output.scrollHeight - output.scrollTop - output.clientHeight < 40;
    output.append(...waiting.map(lineElement));
    waiting = [];
    while (output.children.length > most) output.firstElementChild.remove();
    if (atEnd) output.scrollTop = output.scrollHeight;
  }

  function take(line) {
    waiting.push(line);
    if (waiting.length > most) waiting.splice(0, waiting.length - most);
    if (due) return;
    due = true;
    setTimeout(write, 50);
  }

  async function run(signal) {
    state.textContent = "Following";
    const query = { follow: previous.checked ? "false" : "true", tail: String(first) };
    if (instance.value) query.instance = instance.value;
    if (previous.checked) query.previous = "true";
    try {
      for await (const line of streamLines(address(server, "logs/", query), { signal, where: server.cluster })) {
        if (signal.aborted) return;
        if (line) take(JSON.parse(line));
      }
      if (!signal.aborted) state.textContent = previous.checked ? "This is all" : "The server writes no more";
    } catch (error) {
      if (signal.aborted) return;
      const problem = error instanceof Problem ? error : new Problem(0, { detail: error.message });
      state.replaceChildren(problemElement(problem), again());
    }
  }

  const again = () => element("button", { type: "button", class: "small", click: begin }, "Follow again");

  function begin() {
    running.abort();
    running = new AbortController();
    waiting = [];
    output.replaceChildren();
    run(running.signal);
  }

  pause.addEventListener("click", () => {
    pause.setAttribute("aria-pressed", paused() ? "false" : "true");
    if (!paused()) state.textContent = "Following";
    write();
  });
  for (const input of [instance, previous]) input.addEventListener("change", begin);
  begin();
  return { panel, stop: () => running.abort() };
}

function lineElement(line) {
  const from = element("span", { class: "from" }, line.at ? clock(line.at) : "", " ", clean(line.instance));
  return element("div", { class: "line" }, from, " ", element("bdi", {}, clean(line.text)));
}
