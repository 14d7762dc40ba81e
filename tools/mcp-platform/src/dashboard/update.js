// Updating: another image or another configuration for a server that is there. What does not get ready is rolled back by
// the platform, and said.

import { Problem, call } from "./client.js";
import { address } from "./actions.js";
import { openDialog, problemElement } from "./dialogs.js";
import { labelled, refuse, send, text } from "./forms.js";
import { fieldsOf } from "./schema.js";
import { element } from "./text.js";

/** Opens the form for a server. */
export async function openUpdate(server) {
  const place = element("div", {}, element("p", { role: "status" }, "Asking for the configuration …"));
  const dialog = openDialog({ title: `Update ${server.name}`, name: "update", content: place });
  try {
    const where = server.cluster;
    const { deployment } = await call(address(server), { where });
    const { template } = await call(`/api/templates/${encodeURIComponent(server.template)}/`, { where });
    place.replaceChildren(form(server, deployment.spec?.configuration ?? {}, template, dialog));
    place.querySelector("input, select, textarea")?.focus();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    place.replaceChildren(problemElement(error));
  }
}

function form(server, present, template, dialog) {
  const secrets = new Set(template.secrets);
  const fields = fieldsOf(template.configuration_schema, (key) => secrets.has(key), present);
  const image = text("image");
  const refused = element("div", { role: "alert" });
  const go = element("button", { type: "submit", class: "primary" }, "Update");
  const cancel = element("button", { type: "button", click: () => dialog.close() }, "Cancel");
  const made = element(
    "form",
    {},
    element("fieldset", {}, element("legend", {}, "Configuration"), fields.elements),
    labelled("Image", image, "Left out: as it is."),
    element(
      "p",
      { class: "help" },
      "Instances are replaced. When the new ones do not get ready, it goes back by itself.",
    ),
    refused,
    element("div", { class: "buttons" }, cancel, go),
  );
  made.addEventListener("submit", async (event) => {
    event.preventDefault();
    fields.accept();
    refused.replaceChildren();
    const body = { configuration: fields.changes() };
    if (image.value) body.image = image.value;
    go.disabled = true;
    const problem = await send({
      doing: `Updating ${server.key}`,
      done: () => `Updated ${server.key}`,
      failed: `${server.key} was not updated`,
      dialog,
      request: () => call(address(server, "update/"), { method: "POST", body, where: server.cluster }),
    });
    go.disabled = false;
    if (problem) refuse(problem, fields, refused, made);
  });
  return made;
}
