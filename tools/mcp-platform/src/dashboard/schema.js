// A form from a JSON Schema: one field a property, of the kind that its type asks for; what no field fits is written as
// JSON. The browser checks what it can, and the platform checks everything.

import { element, foreign } from "./text.js";

/**
 * Fields for the properties of a schema. `secret(key)` says whether a value must not be seen; `present`, of a server that
 * is there, is filled in, and its secrets need not be given again. Returns the elements,
 * `values()` with what was filled in, and `refuse(key, text)`, which says at a field what is wrong and returns whether there is
 * one.
 */
export function fieldsOf(schema, secret, present = null) {
  const required = new Set(Array.isArray(schema?.required) ? schema.required : []);
  const fields = Object.entries(schema?.properties ?? {}).map(([key, property]) =>
    field(key, property === true ? {} : property, required.has(key), secret(key), present),
  );
  return {
    elements: fields.map((each) => each.element),
    values() {
      const values = {};
      for (const each of fields) {
        const value = each.value();
        if (value !== undefined) values[each.key] = value;
      }
      return values;
    },
    refuse(key, text) {
      const found = fields.find((each) => each.key === key);
      found?.refuse(text);
      return Boolean(found);
    },
    /** What differs from what is there; null takes a key out. */
    changes() {
      const changes = {};
      for (const each of fields) {
        const value = each.value();
        if (JSON.stringify(value) === JSON.stringify(present?.[each.key])) continue;
        if (value !== undefined || !each.secret) changes[each.key] = value ?? null;
      }
      return changes;
    },
    accept() {
      for (const each of fields) each.accept();
    },
  };
}

/** The words of a JSON pointer (RFC 6901), which may be written as a fragment. */
export function pointerWords(pointer) {
  const words = String(pointer ?? "")
    .replace(/^#/, "")
    .split("/")
    .slice(1);
  return words.map((word) => word.replaceAll("~1", "/").replaceAll("~0", "~"));
}

function typeOf(property) {
  if (Array.isArray(property.enum)) return "enum";
  const types = [property.type].flat().filter((type) => type && type !== "null");
  if (types.length !== 1) return "json";
  if (types[0] === "array" && (property.items?.type ?? "string") === "string") return "lines";
  return { string: "string", integer: "number", number: "number", boolean: "boolean" }[types[0]] ?? "json";
}

function field(key, property, needed, secret, present) {
  const required = needed && !(secret && present);
  const id = `field-${key.replace(/[^A-Za-z0-9]/g, "-")}-${crypto.getRandomValues(new Uint16Array(1))[0]}`;
  const kind = kinds[typeOf(property)];
  const input = kind.make(property, required, secret);
  input.id = id;
  if (present?.[key] !== undefined) kind.write(input, present[key], property);
  const wrong = element("span", { class: "wrong", id: `${id}-wrong`, role: "alert" });
  const help = element("span", { class: "help", id: `${id}-help` }, helpOf(property, required, secret && present));
  const label = element(
    "label",
    { for: id },
    foreign(property.title ?? key),
    required ? element("span", { class: "must" }, " (needed)") : "",
  );
  input.setAttribute("aria-describedby", `${id}-help ${id}-wrong`);
  const refuse = (text) => {
    input.setAttribute("aria-invalid", "true");
    wrong.textContent = wrong.textContent ? `${wrong.textContent}; ${text}` : text;
  };
  const accept = () => {
    input.removeAttribute("aria-invalid");
    wrong.textContent = "";
  };
  input.addEventListener("input", accept);
  return {
    key,
    secret,
    element: element("div", { class: "field" }, label, input, help, wrong),
    value: () => kind.read(input, property),
    refuse,
    accept,
  };
}

function helpOf(property, required, kept) {
  const words = [];
  if (kept) words.push("Left out: as it is. ");
  if (property.description) words.push(foreign(property.description));
  if (property.default !== undefined && !required) words.push(foreign(` Default: ${shown(property.default)}.`));
  const least = property.minimum ?? property.minLength ?? property.minItems;
  const most = property.maximum ?? property.maxLength ?? property.maxItems;
  const what = property.minLength !== undefined || property.maxLength !== undefined ? " characters" : "";
  if (least !== undefined && most !== undefined) words.push(` From ${least} to ${most}${what}.`);
  else if (least !== undefined) words.push(` At least ${least}${what}.`);
  else if (most !== undefined) words.push(` At most ${most}${what}.`);
  return words;
}

const shown = (value) => (typeof value === "string" ? value : JSON.stringify(value));

/** Kinds of fields. `read` returns undefined for what was left empty, so that the template's default holds. */
const kinds = {
  string: {
    make(property, required, secret) {
      const type = secret ? "password" : ({ uri: "url", email: "email" }[property.format] ?? "text");
      const input = element("input", {
        type,
        required,
        autocomplete: secret ? "new-password" : "off",
        spellcheck: "false",
        minlength: property.minLength,
        maxlength: property.maxLength,
        placeholder: secret || property.default === undefined ? null : shown(property.default),
      });
      return input;
    },
    read: (input) => (input.value === "" ? undefined : input.value),
    write: (input, value) => (input.value = String(value)),
  },
  number: {
    make: (property, required) =>
      element("input", {
        type: "number",
        required,
        min: property.minimum,
        max: property.maximum,
        step: property.multipleOf ?? ([property.type].flat().includes("integer") ? 1 : "any"),
        placeholder: property.default === undefined ? null : shown(property.default),
      }),
    read: (input) => (input.value === "" ? undefined : Number(input.value)),
    write: (input, value) => (input.value = String(value)),
  },
  boolean: {
    make: (property, required) =>
      options(
        [
          ["true", "yes"],
          ["false", "no"],
        ],
        property,
        required,
      ),
    read: (input) => (input.value === "" ? undefined : input.value === "true"),
    write: (input, value) => (input.value = String(value)),
  },
  enum: {
    make: (property, required) =>
      options(
        property.enum.map((each, index) => [String(index), shown(each)]),
        property,
        required,
      ),
    read: (input, property) => (input.value === "" ? undefined : property.enum[Number(input.value)]),
    write(input, value, property) {
      const at = property.enum.findIndex((each) => JSON.stringify(each) === JSON.stringify(value));
      input.value = at < 0 ? "" : String(at);
    },
  },
  lines: {
    make: (property, required) =>
      element("textarea", { rows: "3", required, spellcheck: "false", placeholder: "one a line" }),
    read(input) {
      const lines = input.value
        .split("\n")
        .map((line) => line.trim())
        .filter(Boolean);
      return lines.length === 0 ? undefined : lines;
    },
    write: (input, value) => (input.value = value.join("\n")),
  },
  json: {
    make(property, required) {
      const input = element("textarea", { rows: "3", required, spellcheck: "false", placeholder: "JSON" });
      input.addEventListener("input", () => input.setCustomValidity(readable(input.value) ? "" : "This is no JSON."));
      return input;
    },
    read: (input) => (input.value.trim() === "" ? undefined : JSON.parse(input.value)),
    write: (input, value) => (input.value = JSON.stringify(value, null, 2)),
  },
};

function readable(text) {
  try {
    if (text.trim() !== "") JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function options(choices, property, required) {
  const none = property.default === undefined ? "not set" : `default: ${shown(property.default)}`;
  const made = choices.map(([value, text]) => element("option", { value }, text));
  return element("select", { required }, element("option", { value: "" }, required ? "choose" : none), made);
}
