// One line over two hours, perhaps with a second, dashed one; the last value stands beside its name.

import { make, say, svg } from "./dom.js";
import { span, t } from "./i18n.js";

const SPAN_S = 7200;

export function chart(title, form, second = "") {
  const drawing = svg("svg", { viewBox: "0 0 100 100", preserveAspectRatio: "none", role: "img" });
  const ground = svg("line", { class: "ground", x1: 0, x2: 100, y1: 100, y2: 100 });
  const lower = svg("path", { class: "line" });
  const upper = svg("path", { class: "line second" });
  drawing.append(ground, upper, lower);
  const now = make("span", { class: "number soft" });
  const top = make("span");
  const from = make("span");
  const element = make("section", { class: "card chart" },
    make("div", { class: "side" }, make("h3", { text: title }), now),
    make("div", { class: "axis" }, top, make("span", { text: second })), drawing,
    make("div", { class: "axis" }, from, make("span", { text: t("now", { value: "" }).trim() })));

  // `points`: [at, value, second value or undefined], in order, of the time from `first` to `end`.
  function draw(points, first, end) {
    const start = Math.max(end - SPAN_S, first);
    const most = Math.max(1e-9, ...points.map((point) => Math.max(point[1], point[2] ?? 0)));
    const x = (at) => (end === start ? 100 : (100 * (at - start)) / (end - start)).toFixed(2);
    const y = (value) => (100 - (95 * value) / most).toFixed(2);
    const path = (index) => points.filter((point) => point[index] !== undefined).map((point, number) => `${number ? "L" : "M"}${x(point[0])} ${y(point[index])}`).join("");
    lower.setAttribute("d", path(1));
    upper.setAttribute("d", second ? path(2) : "");
    const last = points.at(-1);
    const value = last ? form(last[1]) + (last[2] === undefined ? "" : ` / ${form(last[2])}`) : "–";
    say(now, value);
    say(top, last ? form(most) : "");
    say(from, last ? t("ago", { span: span(end - start) }) : "");
    drawing.setAttribute("aria-label", `${title}: ${t("now", { value })}`);
  }

  return { element, draw };
}
