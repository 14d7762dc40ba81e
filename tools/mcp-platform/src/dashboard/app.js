// Wires the page: the live list, the table, the dialogs, the token and the theme.

import { setToken, token } from "./client.js";
import { connectActions } from "./actions.js";
import { openDeploy } from "./deploy.js";
import { openDetails, refreshDetails } from "./details.js";
import { openDialog } from "./dialogs.js";
import { follow } from "./live.js";
import { makeTable, show } from "./table.js";
import { announce, byId, element, foreign, refreshAges } from "./text.js";

let connection = { kind: "connecting" };
let feed = null;
let asking = null;

const live = () => connection.kind === "live";
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
  if (state.kind === "refused" && state.problem.status === 401) askForToken(token() ? "The platform does not know this token." : "");
  if (feed) refresh(null);
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
    element("strong", {}, "Disconnected since ", element("time", { datetime: since.toISOString() }, since.toLocaleTimeString())),
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
    element("p", { class: "help" }, "An administrator makes one by ", element("code", {}, "mcp-platform token create"), "."),
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
  const key = decodeURIComponent(location.hash).replace(/^#\//, "");
  const found = server(key);
  if (!found) return;
  openDetails(found, live(), () => {
    if (location.hash.startsWith("#/")) history.pushState(null, "", location.pathname);
  });
}

// ---- what changed

const said = new Map();

function refresh(keys) {
  show(feed.servers, live());
  refreshDetails(feed.servers, live());
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
connectActions(server, live);
byId("sign-in").addEventListener("click", () => askForToken(""));
byId("deploy").addEventListener("click", openDeploy);
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
