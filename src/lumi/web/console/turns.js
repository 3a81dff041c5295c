// The last turns, each a waterfall of its stages.

import { keyed, make, say } from "./dom.js";
import { clock, ms, t } from "./i18n.js";
import { meant } from "./meaning.js";
import { called } from "./names.js";

const STAGES = ["hear", "stt", "llm", "tts", "speak"];
const SHOWN = 100;

export function turns() {
  const list = make("div");
  const none = make("p", { class: "soft", text: t("noTurns") });
  const legend = make("p", { class: "legend" }, ...STAGES.map((name) => make("span", {}, make("i", { class: name }), t(name))));
  const element = make("section", { class: "card" }, make("h2", { text: t("turns") }), legend, none, list, make("p", { class: "soft", text: t("noWords") }));

  function update(live, state) {
    const latest = state.turns.slice(-SHOWN).reverse();
    none.hidden = latest.length > 0;
    const longest = Math.max(1, ...latest.map(waited));
    keyed(list, latest, (turn) => turn.id + turn.number, create, (row, turn) => {
      say(row.querySelector(".who"), called(turn.device_id));
      scale(row, turn, longest);
    });
  }

  return { element, update };
}

// From the end of the user's words to the first sound, or the first word.
const latency = (turn) => turn.latency_ms.tts ?? turn.latency_ms.llm;
const asked = (turn) => turn.stages.find((stage) => stage.name === "hear")?.end_ms ?? 0;
// What a row shows: from the end of the words until it sounds, or until the end of a written answer.
const waited = (turn) => (latency(turn) ?? Math.max(0, ...turn.stages.filter((stage) => stage.name === "llm").map((stage) => stage.end_ms - asked(turn)))) || 1;

function create(turn) {
  const wait = latency(turn);
  const wrong = turn.ending === "failed" || turn.failures.length > 0;
  const bar = make("span", { class: "bar", role: "img" });
  const summary = make("summary", {},
    make("span", { class: "number soft", text: clock(turn.started_at) }),
    make("span", { class: "who", title: turn.device_id }),
    make("span", { class: "ending" }, make("span", { class: wrong ? "state wrong" : turn.ending === "done" ? "state quiet" : "state", text: turn.ending === "done" ? t(turn.kind) : t(turn.ending) })),
    bar,
    make("span", { class: "latency number", text: wait === undefined ? "–" : ms(wait) }));
  const row = make("details", { class: "turn" }, summary);
  row.addEventListener("toggle", () => row.open && row.children.length === 1 && row.append(detail(turn)));
  bar.setAttribute("aria-label", turn.stages.map((stage) => `${t(stage.name)} ${ms(stage.end_ms - stage.start_ms)}`).join(", "));
  return row;
}

// The row's bar: the wait alone, on the scale that all rows share.
function scale(row, turn, longest) {
  const bar = row.querySelector("summary .bar");
  if (Number(bar.dataset.scale) === longest) return;
  bar.dataset.scale = longest;
  const start = asked(turn);
  const end = start + waited(turn);
  bar.replaceChildren(...turn.stages.filter((stage) => stage.name !== "hear" && stage.name !== "speak" && stage.start_ms < end).map((stage) =>
    block(stage.name, stage.start_ms - start, Math.min(stage.name === "llm" ? stage.first_ms ?? stage.end_ms : stage.end_ms, end) - start, longest)));
}

function block(name, from, to, whole) {
  const piece = make("i", { class: name });
  piece.style.left = `${(100 * from) / whole}%`;
  piece.style.width = `${Math.max(0, (100 * (to - from)) / whole)}%`;
  return piece;
}

// Every stage on a line of its own, over the whole turn; a mark where its first result came.
function detail(turn) {
  const whole = Math.max(1, turn.duration_ms);
  const lines = turn.stages.flatMap((stage) => {
    const piece = block(stage.name, stage.start_ms, stage.end_ms, whole);
    if (stage.first_ms !== null && stage.end_ms > stage.start_ms) {
      const mark = make("b");
      mark.style.left = `${(100 * (stage.first_ms - stage.start_ms)) / (stage.end_ms - stage.start_ms)}%`;
      piece.append(mark);
    }
    const first = stage.first_ms === null ? "" : ` · ${t("first", { ms: ms(stage.first_ms - stage.start_ms) })}`;
    return [
      make("span", { text: t(stage.name) }),
      make("span", { class: "bar", "aria-hidden": "true" }, piece),
      make("span", { class: "number times", text: ms(stage.end_ms - stage.start_ms) + first }),
    ];
  });
  const facts = [
    latency(turn) === undefined ? "" : t(turn.latency_ms.tts === undefined ? "untilWord" : "untilSound", { ms: ms(latency(turn)) }),
    `${t("session")} ${turn.session_id}`,
    turn.tools.length ? `${t("tools")}: ${turn.tools.join(", ")}` : "",
  ].filter(Boolean);
  return make("div", { class: "stages" }, ...lines,
    make("span", { class: "wide soft", text: facts.join(" · ") }),
    ...turn.failures.map((one) => make("span", { class: "wide bad", text: `${t(one.stage)} · ${one.engine} · ${meant("trouble", one.trouble)}: ${one.message}` })));
}

