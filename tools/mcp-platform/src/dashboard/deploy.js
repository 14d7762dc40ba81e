// Deploying: a template, a name, and the configuration that the template's schema asks for.

import { Problem, call, cluster } from "./client.js";
import { openDialog, problemElement } from "./dialogs.js";
import { labelled, refuse, send, text } from "./forms.js";
import { fieldsOf } from "./schema.js";
import { element, foreign } from "./text.js";

/** Opens the form. */
export async function openDeploy() {
  const where = cluster();
  const place = element("div", {}, element("p", { role: "status" }, "Asking for the templates …"));
  const dialog = openDialog({ title: "Deploy a server", name: "deploy", content: place });
  try {
    const { templates } = await call("/api/templates/", { where });
    place.replaceChildren(form(templates, dialog, where));
    place.querySelector("select").focus();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    place.replaceChildren(problemElement(error));
  }
}

function form(templates, dialog, where) {
  const template = element("select", { name: "template", required: true });
  for (const each of templates) template.append(element("option", { value: each.id }, `${each.title} (${each.id})`));
  const about = element("p", { class: "help" });
  const settings = element("fieldset", {}, element("legend", {}, "Configuration"));
  const name = text("name", { pattern: "[a-z0-9]([a-z0-9\\-]*[a-z0-9])?", maxlength: "52" });
  const namespace = text("namespace", { pattern: "[a-z0-9]([a-z0-9\\-]*[a-z0-9])?", maxlength: "63" });
  const replicas = element("input", { name: "replicas", type: "number", min: "1", max: "1000" });
  const image = text("image");
  const whatReplicas = element("span", { class: "help", id: "help-replicas" });
  const refused = element("div", { role: "alert" });
  const go = element("button", { type: "submit", class: "primary" }, "Deploy");
  const made = element(
    "form",
    {},
    labelled("Template", template),
    about,
    labelled("Name", name, "Lower-case letters, digits and “-”. Left out: made from template and configuration."),
    labelled("Namespace", namespace, "Left out: the platform's own."),
    settings,
    element(
      "details",
      { "aria-label": "More" },
      element("summary", {}, "More"),
      labelled("Instances", replicas, whatReplicas),
      labelled("Image", image, "Left out: the template's."),
    ),
    refused,
    element(
      "div",
      { class: "buttons" },
      element("button", { type: "button", click: () => dialog.close() }, "Cancel"),
      go,
    ),
  );

  let fields;
  function choose() {
    const chosen = templates.find((each) => each.id === template.value);
    about.replaceChildren(foreign(`${chosen.description ?? ""} Version ${chosen.version}, ${chosen.statefulness}.`));
    const secrets = new Set(chosen.secrets);
    fields = fieldsOf(chosen.configuration_schema, (key) => secrets.has(key));
    settings.replaceChildren(settings.firstElementChild, ...fields.elements);
    settings.hidden = fields.elements.length === 0;
    const single = chosen.statefulness === "singleton";
    replicas.disabled = single;
    whatReplicas.textContent = single ? "A singleton owns a volume and runs once." : `Left out: ${chosen.replicas}.`;
  }

  function request() {
    const body = { configuration: fields.values() };
    if (name.value) body.name = name.value;
    if (namespace.value) body.namespace = namespace.value;
    if (replicas.value && !replicas.disabled) body.replicas = Number(replicas.value);
    if (image.value) body.image = image.value;
    return body;
  }

  template.addEventListener("change", choose);
  made.addEventListener("submit", async (event) => {
    event.preventDefault();
    fields.accept();
    refused.replaceChildren();
    const body = request();
    go.disabled = true;
    const what = body.name ?? template.value;
    const problem = await send({
      doing: `Deploying ${what}`,
      done: ({ deployment }) => `Deployed ${deployment.namespace}/${deployment.name}`,
      failed: `${what} was not deployed`,
      dialog,
      request: () => call(`/api/templates/deploy/${encodeURIComponent(template.value)}/`, { method: "POST", body, where }),
    });
    go.disabled = false;
    if (problem) refuse(problem, fields, refused, made);
  });
  choose();
  return made;
}
