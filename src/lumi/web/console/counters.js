// What the server counts, from the text that Prometheus reads.

import { make, table } from "./dom.js";
import { number, t } from "./i18n.js";

// Samples of the text: `{ name, labels, value, help }`; a histogram's buckets and when a counter began are left out.
export function parse(text) {
  const help = new Map();
  const found = [];
  for (const line of text.split("\n")) {
    const told = /^# HELP (\S+) (.*)$/.exec(line);
    if (told) help.set(told[1], told[2]);
    const sample = /^([A-Za-z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line);
    if (!sample || /_(?:bucket|created)$/.test(sample[1])) continue;
    const [, name, labels = "", value] = sample;
    found.push({ name, labels, value: Number(value), help: help.get(name) ?? help.get(name.replace(/_(?:total|sum|count)$/, "")) ?? "" });
  }
  return found;
}

// A part that is asked for when it is opened, and again each time.
export function counters() {
  const place = make("div");
  const element = make("details", { class: "card" }, make("summary", {}, make("h2", { class: "inline", text: t("counters") })), place);
  element.addEventListener("toggle", async () => {
    if (!element.open) return;
    try {
      const answer = await fetch("/metrics", { cache: "no-store" });
      if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
      place.replaceChildren(shown(parse(await answer.text())));
    } catch (error) {
      place.replaceChildren(make("p", { class: "bad", role: "alert", text: error.message }));
    }
  });
  return element;
}

function shown(samples) {
  const rows = samples.map(({ name, labels, value, help }) => make("tr", {},
    make("th", { scope: "row", class: "mono", text: name }), make("td", { class: "mono soft", text: labels }),
    make("td", { class: "number", text: number(value, Number.isInteger(value) ? 0 : 3) }), make("td", { class: "about", lang: "en", text: help })));
  return table([t("name"), t("kind"), t("value"), t("about")], make("tbody", {}, ...rows));
}
