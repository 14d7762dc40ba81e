// Wires the page: the live list, the table, the dialogs, the token and the theme.

import { Problem, call, cluster, onCluster, setCluster, setToken, token } from "./client.js";
import { connectActions } from "./actions.js";
import { openDeploy } from "./deploy.js";
import { closeDetails, openDetails, refreshDetails } from "./details.js";
import { closeDialogs, message, openDialog } from "./dialogs.js";
import { follow } from "./live.js";
import { prohibition } from "./server.js";
import { makeTable, show } from "./table.js";
import { announce, byId, clean, element, foreign, refreshAges } from "./text.js";
import { openUpdate } from "./update.js";

let connection = { kind: "connecting" };
let me = null;
let feed = null;
let asking = null;

const session = () => ({ live: connection.kind === "live", me });
const server = (key) => feed?.servers.get(key);

// ---- what is said of the connection

function connected(state) {
  const before = connection.kind;
  connection = state;
  const pill = byId("connection");
  pill.dataset.state = state.kind;
  document.body.dataset.connection = state.kind;
  const words = { connecting: "Connecting…", live: "● Live", lost: "○ Disconnected", refused: "○ Not allowed in" };
  if (pill.textContent !== words[state.kind]) pill.textContent = words[state.kind];
  drawOutage(state, before);
  if (state.kind === "refused" && state.problem.status === 401)
    askForToken(token() ? "The platform does not know this token." : "");
  // Also when the cluster is down: another one may be chosen then.
  if (["live", "lost"].includes(state.kind) && before !== state.kind) introduce();
  if (feed) refresh(null);
}

/** Asks who is asking and where servers run, and shows both. */
async function introduce() {
  const place = byId("place");
  try {
    const [who, { clusters }] = await Promise.all([call("/api/me/"), call("/api/clusters/")]);
    me = who;
    const served = clusters.filter((each) => each.current);
    const chosen = served.find((each) => each.name === cluster()) ?? served[0];
    drawClusters(served, chosen);
    const where = `${chosen.backend} · ${chosen.place}`;
    const role = who.name === "local" ? "no token needed" : `${who.name}, ${who.role}`;
    place.replaceChildren(foreign(where), " · ", foreign(role));
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    // The list is live all the same; what may not be done is refused when it is tried.
    me = null;
    if (connection.kind === "live") place.replaceChildren();
  }
  refresh(null);
}

// ---- the cluster

/** The choice of the cluster, where there is one. */
function drawClusters(served, chosen) {
  byId("cluster-choice").hidden = served.length < 2;
  const options = served.map((each) => {
    const words = each.reachable ? each.name : `${each.name} (not reachable)`;
    return element("option", { value: each.name }, clean(words));
  });
  byId("cluster").replaceChildren(...options);
  byId("cluster").value = chosen.name;
}

/** What was open and said is of the cluster of before. */
function clusterChanged() {
  closeDetails();
  closeDialogs();
  said.clear();
  announce(cluster() ? `Cluster ${cluster()}` : "Another cluster");
}

function drawOutage(state, before) {
  const place = byId("outage");
  place.hidden = state.kind === "live" || state.kind === "connecting";
  if (place.hidden) {
    if (state.kind === "live" && before !== "live" && before !== "connecting") announce("Connected again.");
    place.replaceChildren();
    place.dataset.key = "";
    return;
  }
  // Said once a break, not once a try: the text of an alert is read whenever it changes.
  const key = `${state.kind} ${state.since} ${state.problem.message}`;
  if (place.dataset.key === key) return;
  place.dataset.key = key;
  const since = new Date(state.since);
  const again = element("button", { type: "button", class: "small", click: () => feed.again() }, "Try now");
  place.replaceChildren(
    element(
      "strong",
      {},
      "Disconnected since ",
      element("time", { datetime: since.toISOString() }, since.toLocaleTimeString()),
    ),
    ": ",
    foreign(state.problem.message),
    ". What is shown is what was known then. ",
    state.kind === "lost" ? "Trying again by itself. " : "",
    again,
  );
}

// ---- the token

function askForToken(problem) {
  if (asking) return;
  const input = element("input", { type: "password", name: "token", autocomplete: "off", spellcheck: "false" });
  const wrong = element("span", { class: "wrong", role: "alert" }, problem);
  const form = element(
    "form",
    { method: "dialog" },
    element("p", {}, "The platform asks who you are. The token stays in this tab and is forgotten when it closes."),
    element("label", {}, "Bearer token ", input),
    wrong,
    element(
      "p",
      { class: "help" },
      "An administrator makes one by ",
      element("code", {}, "mcp-platform token create"),
      ".",
    ),
    element(
      "div",
      { class: "buttons" },
      token() ? element("button", { type: "button", click: () => keep("") }, "Forget the token") : null,
      element("button", { type: "submit", class: "primary" }, "Use it"),
    ),
  );
  const keep = (value) => {
    asking.close();
    setToken(value);
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const value = input.value.trim();
    // What a header cannot carry is no token, and fetch would not send it.
    if (/^[\x21-\x7e]+$/.test(value)) keep(value);
    else wrong.textContent = "A token is made of letters, digits and signs, without spaces.";
  });
  asking = openDialog({ title: "Token", name: "token", content: form, closed: () => (asking = null) });
  input.focus();
}

// ---- the theme

function theme() {
  const select = byId("theme");
  const key = "mcp-platform-theme";
  const apply = (value) => (document.documentElement.dataset.theme = value);
  const kept = localStorage.getItem(key);
  select.value = ["light", "dark"].includes(kept) ? kept : "system";
  apply(select.value);
  select.addEventListener("change", () => {
    localStorage.setItem(key, select.value);
    apply(select.value);
  });
}

// ---- one server, by the address

function open(key) {
  const hash = `#/${key}`;
  if (location.hash === hash) showChosen();
  else location.hash = hash;
}

function showChosen() {
  if (!location.hash.startsWith("#/")) {
    closeDetails();
    return;
  }
  const found = server(location.hash.slice(2));
  if (!found) return;
  openDetails(found, session(), () => {
    if (location.hash.startsWith("#/")) history.pushState(null, "", location.pathname);
  });
}

// ---- deploying

function drawDeploy() {
  const why = prohibition("deploy", session());
  const button = byId("deploy");
  button.title = why ?? "";
  if (why) button.setAttribute("aria-disabled", "true");
  else button.removeAttribute("aria-disabled");
}

function deploy() {
  const why = prohibition("deploy", session());
  if (why) message("Deploy").failed("Deploying is not possible now", new Problem(0, { detail: why }));
  else openDeploy();
}

// ---- what changed

const said = new Map();

function refresh(keys) {
  drawDeploy();
  show(feed.servers, session());
  refreshDetails(feed.servers, session());
  const changes = [];
  for (const key of keys ?? feed.servers.keys()) {
    const now = server(key);
    const word = now ? now.state : "gone";
    if (keys && said.get(key) !== word) changes.push(`${key} is ${word}`);
    if (now) said.set(key, word);
    else said.delete(key);
  }
  if (changes.length > 0) announce(changes.length > 3 ? `${changes.length} servers changed` : changes.join(", "));
  if (!keys && location.hash.startsWith("#/")) showChosen();
}

theme();
makeTable(open);
connectActions(server, session, openUpdate);
byId("sign-in").addEventListener("click", () => askForToken(""));
byId("deploy").addEventListener("click", deploy);
byId("cluster").addEventListener("change", (event) => setCluster(event.target.value));
onCluster(clusterChanged);
window.addEventListener("hashchange", showChosen);
setInterval(refreshAges, 10_000);
feed = { servers: new Map(), again: () => {} };
feed = follow({
  connection: connected,
  changed: (servers, keys) => {
    feed.servers = servers;
    refresh(keys);
  },
});
