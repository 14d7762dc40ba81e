// Dialogs, one above the other, and the messages of what was done. A modal dialog makes the rest of the page inert, so
// the messages move into the topmost one and are read and reached there.

import { byId, element, foreign } from "./text.js";

const stack = [];

/** Opens a dialog with a title; it is gone when it is closed. Returns it. */
export function openDialog({ title, name, content, closed = () => {} }) {
  const id = `dialog-${crypto.getRandomValues(new Uint32Array(1))[0]}`;
  const heading = element("h2", { id, tabindex: "-1" }, title);
  const close = element("button", { type: "button", class: "small close", "aria-label": "Close" }, "✕");
  const dialog = element("dialog", { "aria-labelledby": id, class: name });
  dialog.append(element("div", { class: "dialog-head" }, heading, close), content);
  close.addEventListener("click", () => dialog.close());
  const back = document.activeElement;
  document.body.append(dialog);
  dialog.addEventListener("close", () => {
    stack.splice(stack.indexOf(dialog), 1);
    placeMessages();
    dialog.remove();
    if (back?.isConnected) back.focus();
    closed();
  });
  stack.push(dialog);
  dialog.showModal();
  placeMessages();
  return dialog;
}

/** Closes all of them; what they asked is called off. */
export function closeDialogs() {
  for (const dialog of [...stack]) dialog.close();
}

function placeMessages() {
  const place = stack.at(-1) ?? document.body;
  place.append(byId("activity"));
}

/**
 * Asks before something is done. `type` is a name that has to be typed; `fields` go into the form. Resolves to the form's
 * values, or to null when it was called off.
 */
export function confirm({ title, explanation, action, danger = false, type = null, fields = [] }) {
  return new Promise((resolve) => {
    let answer = null;
    const go = element("button", { type: "submit", class: danger ? "danger" : "primary" }, action);
    const form = element("form", { method: "dialog", class: "confirm" }, element("p", {}, explanation), fields);
    const input = type === null ? null : typed(form, type);
    const cancel = element("button", { type: "button", click: () => dialog.close() }, "Cancel");
    form.append(element("div", { class: "buttons" }, cancel, go));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (input && needed(form) && input.value !== type) {
        refuse(input, `Type ${type} to go on.`);
        return;
      }
      answer = new FormData(form);
      dialog.close();
    });
    const dialog = openDialog({ title, name: "ask", content: form, closed: () => resolve(answer) });
    (form.querySelector("input:not([type=radio]):not([hidden]), select") ?? cancel).focus();
  });
}

/** Whether the name has to be typed: always, or only when the choice that destroys is made. */
function needed(form) {
  const choices = form.querySelectorAll("input[data-destroys]");
  return choices.length === 0 || [...choices].some((choice) => choice.checked);
}

function typed(form, name) {
  const input = element("input", { name: "typed", autocomplete: "off", spellcheck: "false", autocapitalize: "off" });
  const label = element(
    "label",
    { class: "typed" },
    "Type the name ",
    element("code", {}, foreign(name)),
    " to confirm",
  );
  label.append(input, element("span", { class: "wrong", id: "typed-wrong", role: "alert" }));
  form.append(label);
  const follow = () => (label.hidden = !needed(form));
  form.addEventListener("change", follow);
  follow();
  return input;
}

function refuse(input, text) {
  input.setAttribute("aria-invalid", "true");
  input.setAttribute("aria-describedby", "typed-wrong");
  input.parentElement.querySelector(".wrong").textContent = text;
  input.focus();
}

const mostMessages = 8;

/** A message about something that is being done; `done`, `failed` or `drop` ends it. */
export function message(text) {
  const words = element("span", { class: "words" }, foreign(text));
  const item = element("li", { "data-kind": "busy" }, words);
  const list = byId("messages");
  list.append(item);
  while (list.children.length > mostMessages) {
    const oldest = [...list.children].find((each) => each.dataset.kind !== "busy") ?? list.firstElementChild;
    oldest.remove();
  }
  const dismiss = () =>
    element("button", { type: "button", class: "small", "aria-label": "Dismiss", click: () => item.remove() }, "✕");
  return {
    drop: () => item.remove(),
    done(said) {
      item.dataset.kind = "done";
      words.replaceChildren(element("span", { "aria-hidden": "true" }, "✔ "), foreign(said));
      item.append(dismiss());
      setTimeout(() => item.remove(), 10_000);
    },
    failed(said, problem) {
      item.dataset.kind = "failed";
      words.setAttribute("role", "alert");
      const sign = element("span", { "aria-hidden": "true" }, "✖ ");
      words.replaceChildren(sign, element("strong", {}, foreign(said)), problemElement(problem));
      item.append(dismiss());
      item.scrollIntoView({ block: "nearest" });
    },
  };
}

/** A problem with everything that it says: what, why, where, what to do. */
export function problemElement(problem) {
  const box = element("div", { class: "problem" }, element("p", {}, foreign(problem.message)));
  const details = problem.errors.map((each) =>
    element("li", {}, element("code", {}, foreign(each.pointer ?? each.parameter ?? "")), " ", foreign(each.detail)),
  );
  if (details.length > 0) box.append(element("ul", {}, details));
  if (problem.hints.length > 0) {
    box.append(
      element("p", {}, "What to do:"),
      element(
        "ul",
        {},
        problem.hints.map((hint) => element("li", {}, foreign(hint))),
      ),
    );
  }
  return box;
}
