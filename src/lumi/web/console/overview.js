// How the server fares: numbers of now, its engines, and two hours of load and latencies.

import { get } from "./api.js";
import { chart } from "./chart.js";
import { counters } from "./counters.js";
import { keyed, make, say, table } from "./dom.js";
import { bytes, ms, number, span, t } from "./i18n.js";
import { explained } from "./meaning.js";

const STAGES = ["stt", "llm", "tts"];
const KEPT = 720;

export function overview() {
  const tiles = make("dl", { class: "tiles" });
  const engines = make("tbody");
  const engineTable = table([t("kind"), t("name"), t("state"), t("trouble"), t("retry")], engines);
  const noEngines = make("p", { class: "soft", text: t("noEngines") });
  const loads = {
    cpu: chart(`${t("cpu")} (${t("percentCore")})`, (value) => `${number(value, 1)} %`),
    memory: chart(t("memory"), bytes),
    sessions: chart(t("sessionsNow"), (value) => number(value)),
  };
  const latencies = Object.fromEntries(STAGES.map((stage) => [stage, chart(t(`latency.${stage}`), ms, `${t("median")} —  ${t("p95")} ┄`)]));
  const noSamples = make("p", { class: "soft", text: t("noSamples") });
  const noLatency = make("p", { class: "soft", text: t("noLatency") });
  const loadCharts = make("div", { class: "charts" }, ...Object.values(loads).map((one) => one.element));
  const latencyCharts = make("div", { class: "charts" }, ...Object.values(latencies).map((one) => one.element));
  const element = make("div", { class: "stack-gap" });
  element.style.display = "contents";
  element.append(
    tiles,
    make("section", { class: "card" }, make("h2", { text: t("engines") }), engineTable, noEngines),
    make("h2", { text: t("latency") }), noLatency, latencyCharts,
    make("h2", { text: t("load") }), noSamples, loadCharts, counters());

  let samples = [];
  let open = true;
  let asking = false;

  async function more(live) {
    const last = samples.at(-1)?.at ?? 0;
    if (asking || (live.load?.at ?? 0) <= last) return;
    asking = true;
    try {
      const found = (await get(`load?after=${last}`)).samples;
      samples = [...samples, ...found].slice(-KEPT);
      if (open) draw();
    } catch { /* the badge tells */ } finally {
      asking = false;
    }
  }

  function draw() {
    noSamples.hidden = samples.length > 0;
    loadCharts.hidden = samples.length === 0;
    const [first, end] = [samples[0]?.at ?? 0, samples.at(-1)?.at ?? 0];
    loads.cpu.draw(samples.map((one) => [one.at, one.cpu_percent]), first, end);
    loads.memory.draw(samples.map((one) => [one.at, one.memory_bytes]), first, end);
    loads.sessions.draw(samples.map((one) => [one.at, one.sessions]), first, end);
    let any = false;
    for (const stage of STAGES) {
      const points = samples.filter((one) => stage in one.latency_ms).map((one) => [one.at, ...one.latency_ms[stage]]);
      any ||= points.length > 0;
      latencies[stage].draw(points, first, end);
    }
    noLatency.hidden = any;
    latencyCharts.hidden = !any;
  }

  function update(live) {
    const load = live.load;
    const facts = [
      ["sessions", number(live.sessions.length)], ["running", number(live.running_turns)], ["turnCount", number(live.turn_count)],
      ["cpu", load ? `${number(load.cpu_percent, 1)} %` : "–"], ["memory", load ? bytes(load.memory_bytes) : "–"], ["lateness", load ? ms(load.lag_ms) : "–"],
      ["up", span(live.at - live.started_at)], ["version", live.version],
    ];
    keyed(tiles, facts, ([name]) => name,
      ([name]) => make("div", { class: "tile" }, make("dt", { text: t(name) }), make("dd")),
      (tile, [, value]) => say(tile.lastChild, value));
    noEngines.hidden = live.engines.length > 0;
    engineTable.hidden = live.engines.length === 0;
    keyed(engines, live.engines, (one) => `${one.kind} ${one.name}`,
      (one) => make("tr", {}, make("td", { text: one.kind }), make("th", { scope: "row", text: one.name }), make("td", {}, make("span")), make("td"), make("td", { class: "number", data: { name: t("retry") } })),
      (row, one) => {
        const mark = row.cells[2].firstChild;
        say(mark, t(`engine.${one.state}`));
        mark.className = one.state === "closed" ? "state" : "state wrong";
        if (row.dataset.trouble !== one.last_trouble) {
          row.dataset.trouble = one.last_trouble;
          row.cells[3].replaceChildren(...(one.last_trouble ? explained("trouble", one.last_trouble) : []));
        }
        say(row.cells[4], one.state === "open" && one.retry_s ? ms(one.retry_s * 1000) : "");
      });
    more(live);
  }

  draw();
  return { element, update, close: () => { open = false; } };
}
