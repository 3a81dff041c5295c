// Every setting as it holds, with what it is for.

import { get } from "./api.js";
import { coded, make, table } from "./dom.js";
import { language, t } from "./i18n.js";

export function settings() {
  const filter = make("input", { type: "search", id: "filter", autocomplete: "off", "aria-label": t("filter"), placeholder: t("filter") });
  const only = make("input", { type: "checkbox", id: "only" });
  const bar = make("div", { class: "row" }, filter, make("label", { class: "row", for: "only" }, only, t("onlyChanged")));
  const problem = make("p", { class: "bad", role: "alert" });
  const body = make("tbody");
  const element = make("section", { class: "card" }, make("h2", { text: t("settings") }), make("p", { class: "soft" }, ...coded(t("secretsMasked"))), bar, problem,
    table([t("setting"), t("value"), t("standard"), t("about")], body, "settings"));
  let rows = [];

  const shown = (value) => (value === null || value === "" ? t("notSet") : Array.isArray(value) && value.length === 0 ? t("notSet") : typeof value === "object" ? JSON.stringify(value) : String(value));
  const same = (one) => one.default === null ? one.value === null : JSON.stringify(one.value) === JSON.stringify(one.default);

  function row(one) {
    const element = make("tr", { class: same(one) ? "" : "changed" },
      make("th", { scope: "row", class: "mono", text: one.name }), make("td", { class: "mono", text: shown(one.value), data: { name: t("value") } }),
      make("td", { class: "mono soft", text: shown(one.default), data: { name: t("standard") } }), make("td", { class: "about" }, ...coded(language() === "zh" ? one.about_zh : one.about)));
    return { element, words: `${one.name} ${one.about} ${one.about_zh}`.toLowerCase(), changed: !same(one) };
  }

  function sift() {
    const words = filter.value.toLowerCase().trim();
    for (const one of rows) one.element.hidden = !(one.words.includes(words) && (one.changed || !only.checked));
  }

  filter.addEventListener("input", sift);
  only.addEventListener("change", sift);
  get("settings").then((found) => {
    rows = found.settings.map(row);
    body.replaceChildren(...rows.map((one) => one.element));
    sift();
  }).catch((error) => { problem.textContent = error.message || t("away"); });
  return { element };
}
