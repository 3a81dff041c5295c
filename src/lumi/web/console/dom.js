// Elements, kept up to date; how they are made is the page's way.

import { make } from "/page/dom.js";

export { $, make, svg } from "/page/dom.js";

// Text as nodes, what stands between backticks as code.
export function coded(text) {
  return text.split(/`([^`]+)`/).map((part, index) => (index % 2 ? make("code", { text: part }) : part));
}

// Changes the text only where it is another one: a row that stays as it is costs nothing.
export function say(element, text) {
  const words = String(text ?? "");
  if (element.textContent !== words) element.textContent = words;
}

// Brings the children of `list` in step with `items`: each has one child, found again by its key, made and then filled.
export function keyed(list, items, key, create, fill) {
  const known = new Map([...list.children].map((child) => [child.dataset.key, child]));
  let previous = null;
  for (const item of items) {
    const name = String(key(item));
    let child = known.get(name);
    if (child) known.delete(name);
    else {
      child = create(item);
      child.dataset.key = name;
    }
    fill(child, item);
    const wanted = previous ? previous.nextElementSibling : list.firstElementChild;
    if (child !== wanted) list.insertBefore(child, wanted);
    previous = child;
  }
  for (const gone of known.values()) gone.remove();
}

// A table with a header; `stack`: on a narrow screen each row is a block.
export function table(names, body, kind = "") {
  const head = make("tr", {}, ...names.map((name) => make("th", { scope: "col", text: name })));
  return make("div", { class: "scroll" }, make("table", { class: `stack ${kind}` }, make("thead", {}, head), body));
}
