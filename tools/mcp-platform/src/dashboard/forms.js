// Forms that are sent to the platform: fields with labels, and what the platform refuses, said where it belongs.

import { Problem } from "./client.js";
import { message, problemElement } from "./dialogs.js";
import { pointerWords } from "./schema.js";
import { element } from "./text.js";

/**
 * Sends a form. Its dialog closes once it is done; a refusal is returned, and said by a message only when the dialog was
 * closed meanwhile.
 */
export async function send({ doing, done, failed, dialog, request }) {
  const said = message(`${doing} …`);
  try {
    const answer = await request();
    said.done(done(answer));
    if (dialog.isConnected) dialog.close();
    return null;
  } catch (error) {
    const problem = error instanceof Problem ? error : new Problem(0, { detail: error.message });
    if (dialog.isConnected) said.drop();
    else said.failed(`${failed}${problem.status ? ` (${problem.status})` : ""}`, problem);
    return problem;
  }
}

/** Says what is wrong at the fields that it is about, and the rest above the buttons. */
export function refuse(problem, fields, refused, made) {
  const elsewhere = problem.errors.filter((each) => {
    const [first, key] = pointerWords(each.pointer);
    return first === "configuration" ? !fields.refuse(key, each.detail) : !mark(made.elements[first], each.detail);
  });
  const rest = new Problem(problem.status, { detail: problem.message, hints: problem.hints, errors: elsewhere });
  refused.replaceChildren(problemElement(rest));
  const first = made.querySelector("[aria-invalid=true]");
  const folded = first?.closest("details");
  if (folded) folded.open = true;
  if (first) first.focus();
  else refused.scrollIntoView({ block: "nearest" });
}

/** Says at a field of the form itself what is wrong; false when there is none. */
function mark(input, text) {
  const place = input?.closest?.(".field")?.querySelector(".wrong");
  if (!place) return false;
  input.setAttribute("aria-invalid", "true");
  place.textContent = text;
  const accept = () => {
    input.removeAttribute("aria-invalid");
    place.textContent = "";
  };
  input.addEventListener("input", accept, { once: true });
  return true;
}

/** A line of text in a form. */
export const text = (name, more = {}) =>
  element("input", { name, type: "text", autocomplete: "off", spellcheck: "false", ...more });

/** A field of a form with its label, what helps with it, and room for what is wrong. */
export function labelled(title, input, help = null) {
  const id = `deploy-${input.name}`;
  input.id = id;
  const said = typeof help === "string" ? element("span", { class: "help", id: `help-${input.name}` }, help) : help;
  const wrong = element("span", { class: "wrong", id: `wrong-${input.name}`, role: "alert" });
  input.setAttribute("aria-describedby", said ? `help-${input.name} ${wrong.id}` : wrong.id);
  return element("div", { class: "field" }, element("label", { for: id }, title), input, said, wrong);
}
