// Shows the OpenAPI document. Text only through textContent.

const make = (name, attributes = {}, ...children) => {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
};

const named = (schema) => {
  if (!schema) return "";
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.type === "array") return `${named(schema.items)}[]`;
  return [schema.type].flat().filter(Boolean).join(" or ") || "object";
};

function rows(title, heads, lines) {
  if (lines.length === 0) return "";
  const head = make("tr", {}, ...heads.map((text) => make("th", { scope: "col" }, text)));
  const body = lines.map((line) => make("tr", {}, ...line.map((text) => make("td", {}, text))));
  return make("div", {}, make("h4", {}, title), make("table", {}, make("thead", {}, head), make("tbody", {}, ...body)));
}

function properties(document_, schema) {
  const reference = schema?.$ref?.split("/").pop();
  const whole = reference ? document_.components.schemas[reference] : schema;
  const needed = new Set(whole?.required ?? []);
  return Object.entries(whole?.properties ?? {}).map(([name, property]) => [
    name,
    named(property.oneOf?.find((each) => each.$ref) ?? property),
    needed.has(name) ? "always" : "",
    property.description ?? "",
  ]);
}

function operation(document_, path, method, about) {
  const parameters = (about.parameters ?? []).map((each) => [
    each.name,
    each.in,
    named(each.schema),
    each.description ?? "",
  ]);
  const content = about.requestBody?.content?.["application/json"]?.schema;
  const answers = Object.entries(about.responses ?? {}).map(([status, answer]) => [
    status,
    Object.entries(answer.content ?? {}).map(([type, each]) => `${type}: ${named(each.schema)}`).join("; "),
    answer.description ?? "",
  ]);
  return make(
    "details",
    {},
    make("summary", {}, make("span", { class: "method" }, method.toUpperCase()), make("code", {}, path)),
    make("p", {}, about.summary ?? "", " ", about.description ?? ""),
    rows("Parameters", ["name", "in", "type", "what it says"], parameters),
    rows("Body", ["key", "type", "there", "what it says"], properties(document_, content)),
    rows("Answers", ["status", "content", "when"], answers),
  );
}

const place = document.getElementById("paths");
try {
  const answer = await fetch("/openapi.json");
  if (!answer.ok) throw new Error(`/openapi.json answered ${answer.status}`);
  const document_ = await answer.json();
  const groups = new Map();
  for (const [path, methods] of Object.entries(document_.paths)) {
    for (const [method, about] of Object.entries(methods)) {
      const tag = about.tags?.[0] ?? "other";
      if (!groups.has(tag)) groups.set(tag, []);
      groups.get(tag).push(operation(document_, path, method, about));
    }
  }
  const parts = [...groups].flatMap(([tag, all]) => [make("h2", {}, tag), ...all]);
  const schemas = Object.keys(document_.components.schemas).map((name) =>
    make(
      "details",
      {},
      make("summary", {}, make("code", {}, name)),
      rows("Keys", ["key", "type", "there", "what it says"], properties(document_, { $ref: `#/components/schemas/${name}` })),
    ),
  );
  place.replaceChildren(...parts, make("h2", {}, "Shapes"), ...schemas);
} catch (error) {
  place.replaceChildren(make("p", { role: "alert" }, `The paths cannot be shown: ${error.message}`));
}
