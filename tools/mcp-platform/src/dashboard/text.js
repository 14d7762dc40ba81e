// Building the page. Everything that comes from a back end is hostile: it gets into the page as text nodes only, never
// as markup and never as an address.

/**
 * An element with attributes and children; strings become text. A function is a listener, `true` an empty attribute,
 * `false` and `null` none.
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, String(value));
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

/** The element with this id, which the page has. */
export const byId = (id) => document.getElementById(id);

/** Text of others in an element of its own, so that its direction of writing reaches no further. */
export const foreign = (text, attributes = {}) => element("bdi", attributes, clean(text));

// Escape sequences of terminals: CSI, OSC and the two-character ones (ECMA-48, 5.3 and 5.4).
const escapes = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[@-Z\\-_])/g;
// What would turn the order of the text around, or hide a part of it.
const invisible = /[\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g;
const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/** Text that shows all that it holds: no colours, no control characters, nothing invisible. */
export function clean(text) {
  return String(text ?? "")
    .replace(escapes, "")
    .replace(invisible, "\ufffd")
    .replace(controls, "\ufffd");
}

const units = [
  [86_400, "d"],
  [3_600, "h"],
  [60, "min"],
];

/** How long ago a moment was: `3 d`, `5 min`, `12 s`. */
export function age(moment, now = Date.now()) {
  const begun = Date.parse(moment ?? "");
  if (Number.isNaN(begun)) return "–";
  const seconds = Math.max(0, Math.floor((now - begun) / 1000));
  for (const [length, unit] of units) if (seconds >= length) return `${Math.floor(seconds / length)} ${unit}`;
  return `${seconds} s`;
}

/** A moment as a `time` element that shows its age. */
export function ageElement(moment) {
  const begun = Date.parse(moment ?? "");
  if (Number.isNaN(begun)) return element("span", {}, "–");
  const title = new Date(begun).toLocaleString();
  return element("time", { datetime: new Date(begun).toISOString(), title, "data-age": moment }, age(moment));
}

/** A moment as a `time` element that shows the time of day. */
export function clock(moment) {
  const at = Date.parse(moment ?? "");
  if (Number.isNaN(at)) return element("span", {}, "–");
  const date = new Date(at);
  return element("time", { datetime: date.toISOString(), title: date.toLocaleString() }, date.toLocaleTimeString());
}

/** Writes the ages anew. */
export function refreshAges() {
  for (const each of document.querySelectorAll("time[data-age]")) {
    const text = age(each.dataset.age);
    if (each.textContent !== text) each.textContent = text;
  }
}

/** Says something to a screen reader. */
export function announce(text) {
  byId("announcer").textContent = clean(text);
}

/** A button that copies a text and says so. */
export function copyButton(text, what) {
  const button = element("button", { type: "button", class: "small", "aria-label": `Copy ${what}` }, "Copy");
  button.addEventListener("click", async () => {
    const done = await copy(text);
    button.textContent = done ? "Copied" : "Not copied";
    announce(done ? `Copied ${what}` : `The browser does not let this page copy ${what}`);
    setTimeout(() => (button.textContent = "Copy"), 2000);
  });
  return button;
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // The clipboard is there in secure contexts only: https, or this machine.
    return false;
  }
}
