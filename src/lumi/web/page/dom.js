// Elements, made and found. Nothing is ever parsed from text, so that what people say stays text.

const SVG = "http://www.w3.org/2000/svg";

export const $ = (id) => document.getElementById(id);

// `make("p", { class: "soft", text: "words" }, child, …)`; `on` has listeners, `data` goes into data-*.
export function make(tag, { text, on = {}, data = {}, ...attributes } = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value === true ? "" : value);
  }
  for (const [name, value] of Object.entries(data)) element.dataset[name] = value;
  for (const [name, listener] of Object.entries(on)) element.addEventListener(name, listener);
  if (text !== undefined) element.textContent = text;
  element.append(...children.filter(Boolean));
  return element;
}

export function svg(tag, attributes = {}) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

// One of the icons of index.html.
export function icon(name) {
  const drawing = svg("svg", { class: "icon", "aria-hidden": "true" });
  drawing.append(svg("use", { href: `#i-${name}` }));
  return drawing;
}

export function useIcon(drawing, name) {
  drawing.querySelector("use").setAttribute("href", `#i-${name}`);
}

// Opens a window; old browsers without modal ones get it as part of the page.
export function open(dialog) {
  if (dialog.open) return;
  if (dialog.showModal) dialog.showModal();
  else dialog.setAttribute("open", "");
}

// Says something to who cannot see the page.
export function announce(words) {
  $("said").textContent = words;
}

// Text as nodes, addresses of the web as links.
export function linked(text) {
  return text.split(/(https?:\/\/[^\s<>"'，。）]+)/g).map((part, index) =>
    index % 2 ? make("a", { href: part, target: "_blank", rel: "noreferrer noopener", text: part }) : part);
}
