// One server in a dialog: what it is, its instances, what the back end says, its lines and events, and what can be done.

import { Problem, events } from "./client.js";
import { actionButtons, address } from "./actions.js";
import { openDialog, problemElement } from "./dialogs.js";
import { logPanel } from "./logs.js";
import { endpoints, statusOf } from "./table.js";
import { ageElement, clock, copyButton, element, foreign } from "./text.js";

const tabs = [
  ["overview", "Overview"],
  ["instances", "Instances"],
  ["conditions", "Conditions"],
  ["logs", "Logs"],
  ["events", "Events"],
];

let shown = null;

/** Shows a server; again with its newest state when it is shown already. */
export function openDetails(server, session, closed) {
  if (shown?.key === server.key) return;
  shown?.dialog.close();
  const summary = element("div", { class: "summary" });
  const panels = new Map(tabs.map(([id]) => [id, panelOf(id)]));
  const content = element(
    "div",
    { class: "details-content" },
    summary,
    tabList(panels, (id) => select(id)),
  );
  content.append(...panels.values());
  const title = element("span", {}, foreign(server.name), " ", element("small", {}, foreign(server.namespace)));
  const view = { key: server.key, server, session, summary, panels, selected: null, stop: () => {}, drawn: new Map() };
  view.dialog = openDialog({
    title,
    name: "details",
    content,
    closed: () => {
      view.stop();
      shown = null;
      closed();
    },
  });
  shown = view;

  function select(id) {
    if (view.selected === id) return;
    view.stop();
    view.stop = () => {};
    view.selected = id;
    for (const tab of content.querySelectorAll("[role=tab]")) {
      const selected = tab.dataset.tab === id;
      tab.setAttribute("aria-selected", String(selected));
      tab.tabIndex = selected ? 0 : -1;
    }
    for (const [name, panel] of panels) panel.hidden = name !== id;
    if (id === "logs") follow(logPanel(view.server));
    if (id === "events") follow(eventPanel(view.server));
  }

  function follow({ panel, stop }) {
    panels.get(view.selected).replaceChildren(panel);
    view.stop = stop;
  }

  draw(view);
  select("overview");
}

/** Closes what is shown. */
export function closeDetails() {
  shown?.dialog.close();
}

/** Writes anew what changed; a server that is gone is said to be. */
export function refreshDetails(servers, session) {
  if (!shown) return;
  const server = servers.get(shown.key);
  shown.session = session;
  if (server) shown.server = server;
  shown.gone = !server;
  draw(shown);
}

function draw(view) {
  const { server, session, panels } = view;
  part(
    view,
    "summary",
    view.summary,
    [server.state, server.reason, server.message, server.ready, server.wanted, server.statefulness, session, view.gone],
    () => [
      view.gone
        ? element(
            "p",
            { class: "gone", role: "status" },
            "This server is gone. What is shown is the last that was known.",
          )
        : element(
            "p",
            { role: "status", class: "now" },
            statusOf(server),
            server.message.includes(" of ") ? "" : ` · ${server.ready} of ${server.wanted} ready`,
          ),
      actionButtons(server, view.gone ? { ...session, live: false } : session, [
        "start",
        "stop",
        "restart",
        "scale",
        "update",
        "check",
        "delete",
      ]),
    ],
  );
  part(view, "overview", panels.get("overview"), server, () => [overview(server)]);
  part(view, "instances", panels.get("instances"), server.instances, () => [instances(server)]);
  part(view, "conditions", panels.get("conditions"), server.conditions, () => [conditions(server)]);
}

function part(view, id, place, value, make) {
  const key = JSON.stringify(value);
  if (view.drawn.get(id) === key) return;
  view.drawn.set(id, key);
  const focused = place.contains(document.activeElement) ? document.activeElement.dataset.action : null;
  place.replaceChildren(...make());
  if (focused) place.querySelector(`[data-action="${focused}"]`)?.focus();
}

const panelOf = (id) =>
  element("div", { role: "tabpanel", id: `panel-${id}`, "aria-labelledby": `tab-${id}`, tabindex: "0" });

function tabList(panels, select) {
  const list = element("div", { role: "tablist", "aria-label": "About this server" });
  for (const [id, title] of tabs) {
    const attributes = { type: "button", role: "tab", id: `tab-${id}`, "aria-controls": `panel-${id}`, "data-tab": id };
    list.append(element("button", { ...attributes, click: () => select(id) }, title));
  }
  list.addEventListener("keydown", (event) => {
    const all = [...list.children];
    const at = all.indexOf(document.activeElement);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (to === undefined || at < 0) return;
    event.preventDefault();
    const next = all[(to + all.length) % all.length];
    next.focus();
    select(next.dataset.tab);
  });
  return list;
}

function overview(server) {
  const list = element("dl");
  const add = (title, ...value) => list.append(element("div", {}, element("dt", {}, title), element("dd", {}, value)));
  const text = (title, value) => add(title, value ? foreign(value) : "–");
  const code = (title, value) =>
    value
      ? add(title, element("code", {}, foreign(value)), " ", copyButton(value, title.toLowerCase()))
      : add(title, "–");
  add("Endpoints", endpoints(server));
  text("Template", [server.template, server.version].filter(Boolean).join(" "));
  text(
    "Sessions hang on",
    { stateless: "nothing (stateless)", sticky: "an instance (sticky)", singleton: "the one instance (singleton)" }[
      server.statefulness
    ],
  );
  code("Image", server.image);
  if (server.imageSource) text("Image came from", server.imageSource);
  code("Revision", server.revision);
  code("Commit", server.commit);
  code("Wheel sha256", server.wheel);
  add("Age", ageElement(server.created));
  add("Last activity", server.lastActivity ? ageElement(server.lastActivity) : "–");
  for (const fault of server.faults)
    add("Fault", element("strong", {}, foreign(fault.reason)), ": ", foreign(fault.message));
  if (server.leftOut.length > 0) text("Left out by this back end", server.leftOut.join(", "));
  if (!server.ours) add("Deployed by", "another tool; this platform adopted it");
  return list;
}

function table(caption, titles, lines, none) {
  if (lines.length === 0) return element("p", {}, none);
  const head = titles.map((title) => element("th", { scope: "col", role: "columnheader" }, title));
  const body = lines.map((cells) =>
    element(
      "tr",
      { role: "row" },
      cells.map((cell, index) => element("td", { role: "cell", "data-title": titles[index] }, cell)),
    ),
  );
  return element(
    "table",
    { role: "table" },
    element("caption", { class: "unseen" }, caption),
    element("thead", { role: "rowgroup" }, element("tr", { role: "row" }, head)),
    element("tbody", { role: "rowgroup" }, body),
  );
}

function instances(server) {
  const lines = server.instances.map((each) => [
    foreign(each.name),
    `${each.phase}, ${each.ready ? "ready" : "not ready"}`,
    String(each.restarts ?? 0),
    foreign(each.revision ?? "–"),
    each.fault
      ? element("span", {}, element("strong", {}, foreign(each.fault.reason)), ": ", foreign(each.fault.message))
      : "–",
    ageElement(each.created),
  ]);
  const titles = ["Instance", "Phase", "Restarts", "Revision", "Fault", "Age"];
  return table("Instances", titles, lines, "There is no instance.");
}

function conditions(server) {
  const lines = server.conditions.map((each) => [
    foreign(each.type),
    foreign(each.status),
    foreign(each.reason),
    foreign(each.message),
    ageElement(each.last_update),
  ]);
  const titles = ["Condition", "Status", "Reason", "Message", "Since"];
  return table("Conditions", titles, lines, "The back end says nothing of the whole.");
}

const mostEvents = 500;

function eventPanel(server) {
  const running = new AbortController();
  const list = element("ol", { class: "events", "aria-label": "Events", tabindex: "0" });
  const state = element("p", { role: "status" }, "Waiting for events");
  const panel = element("div", {}, list, state);
  const run = async () => {
    try {
      for await (const { event, data } of events(address(server, "events/"), { signal: running.signal, where: server.cluster })) {
        if (event !== "event") continue;
        list.prepend(eventElement(JSON.parse(data)));
        while (list.children.length > mostEvents) list.lastElementChild.remove();
        state.textContent = "Newest first";
      }
      if (!running.signal.aborted) state.textContent = "No more events";
    } catch (error) {
      if (running.signal.aborted) return;
      state.replaceChildren(
        problemElement(error instanceof Problem ? error : new Problem(0, { detail: error.message })),
      );
    }
  };
  run();
  return { panel, stop: () => running.abort() };
}

function eventElement(event) {
  const sign = event.warning ? element("strong", { class: "warning" }, "▲ warning ") : null;
  return element(
    "li",
    { "data-warning": event.warning ? "true" : null },
    event.at ? clock(event.at) : "–",
    " ",
    sign,
    element("strong", {}, foreign(event.reason)),
    " ",
    foreign(event.about),
    ": ",
    foreign(event.message),
  );
}
