// What everybody must be able to use: names of controls as the browser computes them, references that lead somewhere,
// contrast, sizes, and nothing beyond the edge of the screen.
"use strict";

const assert = require("node:assert/strict");

/** Roles of the accessibility tree that are of no use without a name. */
const named = new Set([
  "button",
  "checkbox",
  "combobox",
  "dialog",
  "group",
  "link",
  "radio",
  "region",
  "search",
  "searchbox",
  "spinbutton",
  "tab",
  "table",
  "tablist",
  "tabpanel",
  "textbox",
]);

/** Holds the page, as it is now, to all of it. */
async function requireAccessible(page, where) {
  const problems = [...(await namelessControls(page)), ...(await page.evaluate(look))];
  assert.deepEqual(problems, [], `${where}: ${problems.join("\n")}`);
}

/** Controls to which the browser gives no name, so that a screen reader can say nothing of them. */
async function namelessControls(page) {
  const session = await page.context().newCDPSession(page);
  const { nodes } = await session.send("Accessibility.getFullAXTree");
  await session.detach();
  return nodes
    .filter((node) => !node.ignored && named.has(node.role?.value) && !node.name?.value?.trim())
    .map((node) => `a ${node.role.value} without a name (node ${node.backendDOMNodeId})`);
}

/** Runs in the page: everything that its elements and styles say. */
function look() {
  const problems = [];
  const say = (element, text) => problems.push(`${element.outerHTML.slice(0, 120)}: ${text}`);
  const visible = (element) => element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
  // A modal dialog makes everything else inert.
  const modal = [...document.querySelectorAll("dialog:modal")].at(-1);
  const all = [...(modal ?? document.body).querySelectorAll("*")].filter(visible);

  const parse = (color) => {
    const [red, green, blue, alpha = 1] = color.match(/[\d.]+/g).map(Number);
    return { rgb: [red, green, blue], alpha };
  };
  const ground = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const { rgb, alpha } = parse(getComputedStyle(each).backgroundColor);
      if (alpha === 1) return rgb;
    }
    return parse(getComputedStyle(document.documentElement).backgroundColor).rgb;
  };
  // WCAG 2.2, "relative luminance" and "contrast ratio".
  const luminance = (rgb) => {
    const [red, green, blue] = rgb.map((part) => {
      const share = part / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const contrast = (one, two) => {
    const [dark, light] = [luminance(one), luminance(two)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  };

  for (const element of all) {
    const style = getComputedStyle(element);
    const words = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
    if (words && element.tagName !== "OPTION") {
      const ratio = contrast(parse(style.color).rgb, ground(element));
      if (ratio < 4.5) say(element, `contrast ${ratio.toFixed(2)} is less than 4.5`);
    }
    const box = element.getBoundingClientRect();
    if (element.matches("button, select, input:not([type=radio]):not([type=checkbox])") && box.height < 24) {
      say(element, `${box.height} pixels are too low to hit`);
    }
    for (const name of ["aria-labelledby", "aria-describedby", "aria-controls"]) {
      for (const id of (element.getAttribute(name) ?? "").split(/\s+/).filter(Boolean)) {
        if (!document.getElementById(id)) say(element, `${name} leads nowhere: ${id}`);
      }
    }
    if (element.tabIndex > 0) say(element, "a place of its own in the order of the focus");
  }
  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  for (const id of ids.filter((each, index) => ids.indexOf(each) !== index)) problems.push(`two elements are #${id}`);
  if (!document.documentElement.lang) problems.push("the page has no language");
  if (document.querySelectorAll("main").length !== 1) problems.push("there is not one main part");
  const { scrollWidth, clientWidth } = document.scrollingElement;
  if (scrollWidth > clientWidth) problems.push(`${scrollWidth} pixels are wider than the screen of ${clientWidth}`);
  return problems;
}

module.exports = { requireAccessible };
