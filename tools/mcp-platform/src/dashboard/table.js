// The table of servers: filtered, sorted, a page at a time, and written anew only where it changed, so that the focus
// stays where it is.

import { ageElement, announce, byId, copyButton, element, foreign } from "./text.js";
import { searchText, states } from "./server.js";
import { actionButtons } from "./actions.js";

const pageSize = 100;
const columns = [
  { id: "name", title: "Name", order: (a, b) => compare(a.name, b.name) },
  { id: "namespace", title: "Namespace", order: (a, b) => compare(a.namespace, b.namespace) },
  { id: "template", title: "Template", order: (a, b) => compare(a.template, b.template) },
  { id: "status", title: "Status", order: (a, b) => states[a.state].order - states[b.state].order },
  { id: "replicas", title: "Ready", order: (a, b) => a.ready - b.ready || a.wanted - b.wanted },
  { id: "endpoints", title: "Endpoints" },
  { id: "age", title: "Age", order: (a, b) => compare(b.created ?? "", a.created ?? "") },
  { id: "actions", title: "Actions" },
];

const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

const view = {
  servers: new Map(),
  session: { live: false, me: null },
  page: 0,
  sort: "name",
  descending: false,
  limit: "",
};
const rows = new Map();
let open = () => {};
let due = false;

/** Makes the table; `openDetails(key)` is called when somebody wants to see one server. */
export function makeTable(openDetails) {
  open = openDetails;
  for (const column of columns) byId("columns").append(head(column));
  for (const id of ["search", "status-filter", "namespace-filter"]) {
    byId(id).addEventListener("input", () => {
      view.page = 0;
      draw();
    });
  }
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  byId("page-before").addEventListener("click", () => turn(-1));
  byId("page-after").addEventListener("click", () => turn(1));
}

/** Shows these servers, soon. */
export function show(servers, session) {
  Object.assign(view, { servers, session });
  if (due) return;
  due = true;
  // Not at the next frame: a page that is not seen has none, and its table is read all the same.
  setTimeout(() => {
    due = false;
    draw();
  }, 50);
}

function turn(by) {
  view.page += by;
  draw();
  byId("servers").scrollIntoView();
  announce(byId("page-number").textContent);
}

function head(column) {
  const cell = element("th", { role: "columnheader", scope: "col", "data-column": column.id });
  if (!column.order) {
    cell.append(column.title);
    return cell;
  }
  const sign = element("span", { "aria-hidden": "true", class: "sorted" });
  cell.append(
    element("button", { type: "button", class: "plain", click: () => sortBy(column.id) }, column.title, sign),
  );
  return cell;
}

function sortBy(id) {
  view.descending = view.sort === id && !view.descending;
  view.sort = id;
  draw();
}

function chosen() {
  const words = byId("search").value.toLowerCase().split(/\s+/).filter(Boolean);
  const state = byId("status-filter").value;
  const namespace = byId("namespace-filter").value;
  const found = [...view.servers.values()].filter((server) => {
    if (state && server.state !== state) return false;
    if (namespace && server.namespace !== namespace) return false;
    if (words.length === 0) return true;
    const text = searchText(server);
    return words.every((word) => text.includes(word));
  });
  const { order } = columns.find((column) => column.id === view.sort);
  const way = view.descending ? -1 : 1;
  return found.sort((a, b) => way * order(a, b) || compare(a.key, b.key));
}

function draw() {
  drawFilters();
  const found = chosen();
  const pages = Math.max(1, Math.ceil(found.length / pageSize));
  view.page = Math.min(Math.max(0, view.page), pages - 1);
  const from = view.page * pageSize;
  const visible = found.slice(from, from + pageSize);
  drawRows(visible);
  drawSorting();
  drawEmpty(found.length);
  byId("pages").hidden = pages === 1;
  byId("page-number").textContent = `Page ${view.page + 1} of ${pages}`;
  byId("page-before").disabled = view.page === 0;
  byId("page-after").disabled = view.page === pages - 1;
  const all = view.servers.size;
  const part = found.length > pageSize ? `${from + 1} to ${from + visible.length} of ` : "";
  const filtered = found.length === all ? "" : `, filtered from ${all}`;
  setText(byId("shown"), `${part}${found.length} ${found.length === 1 ? "server" : "servers"}${filtered}`);
}

function setText(place, text) {
  if (place.textContent !== text) place.textContent = text;
}

function drawFilters() {
  const counts = { states: new Map(), namespaces: new Map() };
  for (const server of view.servers.values()) {
    counts.states.set(server.state, (counts.states.get(server.state) ?? 0) + 1);
    counts.namespaces.set(server.namespace, (counts.namespaces.get(server.namespace) ?? 0) + 1);
  }
  const named = Object.keys(states).map((state) => [state, counts.states.get(state) ?? 0]);
  drawChoices(byId("status-filter"), named);
  drawChoices(
    byId("namespace-filter"),
    [...counts.namespaces].sort(([a], [b]) => compare(a, b)),
  );
}

function drawChoices(select, choices) {
  const key = JSON.stringify(choices);
  if (select.dataset.key === key) return;
  const present = select.value;
  const options = choices.map(([value, count]) => element("option", { value }, `${value} (${count})`));
  if (present && !choices.some(([value]) => value === present)) {
    options.push(element("option", { value: present }, `${present} (0)`));
  }
  select.replaceChildren(element("option", { value: "" }, "All"), ...options);
  select.value = present;
  select.dataset.key = key;
}

function drawSorting() {
  for (const cell of byId("columns").children) {
    const sorted = cell.dataset.column === view.sort;
    if (sorted) cell.setAttribute("aria-sort", view.descending ? "descending" : "ascending");
    else cell.removeAttribute("aria-sort");
    const sign = cell.querySelector(".sorted");
    if (sign) sign.textContent = sorted ? (view.descending ? " ▼" : " ▲") : "";
  }
}

function drawEmpty(found) {
  byId("empty").hidden = found > 0;
  if (found > 0) return;
  const none = view.session.live ? "No server is deployed yet. “Deploy…” starts the first." : "Nothing is known yet.";
  byId("empty").textContent = view.servers.size === 0 ? none : "No server fits the filters.";
}

function drawRows(visible) {
  const body = byId("rows");
  const wanted = new Set(visible.map((server) => server.key));
  for (const [key, row] of rows) {
    if (wanted.has(key)) continue;
    row.element.remove();
    rows.delete(key);
  }
  visible.forEach((server, index) => {
    let row = rows.get(server.key);
    if (!row) {
      row = { element: element("tr", { role: "row", "data-key": server.key }), cells: new Map() };
      for (const column of columns) row.cells.set(column.id, makeCell(column, row.element));
      rows.set(server.key, row);
    }
    fill(row, server);
    if (body.children[index] !== row.element) body.insertBefore(row.element, body.children[index] ?? null);
  });
}

function makeCell(column, row) {
  const heading = column.id === "name";
  const attributes = { role: heading ? "rowheader" : "cell", "data-title": column.title, "data-column": column.id };
  const cell = element(heading ? "th" : "td", heading ? { ...attributes, scope: "row" } : attributes);
  row.append(cell);
  return { cell, key: null };
}

/** Writes the cells whose content changed. */
function fill(row, server) {
  write(row, "name", server.name, () => [
    element(
      "button",
      { type: "button", class: "plain name", "aria-haspopup": "dialog", click: () => open(server.key) },
      foreign(server.name),
    ),
  ]);
  write(row, "namespace", server.namespace, () => [foreign(server.namespace)]);
  write(row, "template", server.template, () => [foreign(server.template || "–")]);
  write(row, "status", [server.state, server.reason, server.message], () => statusOf(server));
  write(row, "replicas", [server.ready, server.wanted], () => [replicas(server)]);
  write(row, "endpoints", server.endpoints, () => [endpoints(server)]);
  write(row, "age", server.created, () => [ageElement(server.created)]);
  const shown = [
    server.wanted,
    server.state,
    server.statefulness,
    server.autoscaled,
    server.ready > 0,
    server.ours,
    view.session,
  ];
  write(row, "actions", shown, () => [actionButtons(server, view.session, ["start", "stop", "scale", "delete"])]);
}

function write(row, id, value, make) {
  const place = row.cells.get(id);
  const key = JSON.stringify(value);
  if (place.key === key) return;
  place.key = key;
  const focused = place.cell.contains(document.activeElement) ? document.activeElement.dataset.action : null;
  place.cell.replaceChildren(...make());
  if (focused) place.cell.querySelector(`[data-action="${focused}"]`)?.focus();
}

/** The state as sign and word, with its reason. */
export function statusOf(server) {
  const sign = element("span", { "aria-hidden": "true", class: "sign" }, states[server.state].sign);
  const word = element("span", { class: "state", "data-state": server.state }, sign, ` ${server.state}`);
  const reason = server.reason && server.reason !== "ready" && server.reason !== server.state ? server.reason : null;
  const why = element("span", { class: "reason" }, reason && element("strong", {}, foreign(reason)));
  if (reason && server.message) why.append(": ");
  if (server.message) why.append(foreign(server.message));
  return [word, why];
}

function replicas(server) {
  const short = `${server.ready}/${server.wanted}`;
  const long = `${server.ready} ready of ${server.wanted} wanted`;
  return element("span", { title: long }, element("span", { "aria-hidden": "true" }, short), unseen(long));
}

const unseen = (text) => element("span", { class: "unseen" }, text);

/** The endpoints, each with a button that copies it. */
export function endpoints(server) {
  if (server.endpoints.length === 0) return element("span", {}, "–");
  const items = server.endpoints.map((url) =>
    element("li", {}, element("code", {}, foreign(url)), " ", copyButton(url, `the endpoint ${url}`)),
  );
  return element("ul", { class: "endpoints" }, items);
}
