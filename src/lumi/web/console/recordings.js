// Recordings of devices that are set to be recorded: a list, and a player with the transcript under it.

import { act, get, lines, part } from "./api.js";
import { ask } from "./dialogs.js";
import { coded, keyed, make, say, table } from "./dom.js";
import { bytes, moment, span, t } from "./i18n.js";
import { called } from "./names.js";
import { Player } from "./player.js";
import { isShortened, parse, transcript } from "./recording.js";
import { draw, mark } from "./wave.js";

const MOST_LINES = 3000;

export function recordings() {
  const rows = make("tbody");
  const whole = table([t("device"), t("began"), t("length"), t("size"), ""], rows);
  const none = make("p", { class: "soft" }, ...coded(t("noRecordings")));
  const problem = make("p", { class: "bad", role: "alert" });
  const place = make("div");
  place.style.display = "contents";
  const element = make("div");
  element.style.display = "contents";
  element.append(place, make("section", { class: "card" }, make("h2", { text: t("recordings") }), none, problem, whole));
  let heard = null;
  let open = true;

  async function look() {
    try {
      const found = (await get("recordings")).recordings;
      if (!open) return;
      none.hidden = found.length > 0;
      whole.hidden = found.length === 0;
      keyed(rows, found, (one) => one.session_id, create, fill);
    } catch (error) {
      say(problem, error.message || t("away"));
    }
  }

  function create(one) {
    const listen = make("button", { type: "button", class: "primary", text: t("open"), on: { click: () => hear(one, listen) } });
    const remove = make("button", { type: "button", class: "danger", text: t("remove"), on: { click: () => ask({ title: t("removeSure"), danger: true, act: () => drop(one) }) } });
    return make("tr", {}, make("th", { scope: "row", title: `${one.device_id} · ${one.session_id}` }), make("td", { class: "number", text: moment(one.started_at) }),
      make("td", { class: "number", data: { name: t("length") } }), make("td", { class: "number", data: { name: t("size") } }), make("td", { class: "acts" }, listen, remove));
  }

  function fill(row, one) {
    say(row.cells[0], called(one.device_id));
    say(row.cells[2], span(Math.max(0, one.ended_at - one.started_at)));
    say(row.cells[3], bytes(one.size_bytes));
  }

  async function drop(one) {
    await act("DELETE", `recordings/${part(one.session_id)}`);
    if (heard?.id === one.session_id) shut();
    await look();
  }

  function shut() {
    heard?.player.close();
    heard = null;
    place.replaceChildren();
  }

  async function hear(one, button) {
    button.disabled = true;
    say(problem, "");
    try {
      const text = await lines(`recordings/${part(one.session_id)}`);
      if (!open) return;
      shut();
      heard = { id: one.session_id, ...listening(one, text) };
      place.replaceChildren(heard.element);
      heard.element.scrollIntoView({ block: "nearest" });
      heard.element.querySelector("button").focus();
    } catch (error) {
      say(problem, error.message || t("away"));
    } finally {
      button.disabled = false;
    }
  }

  look();
  return { element, close: () => { open = false; shut(); } };
}

// The card of one recording: waves of both sides, the controls, what was said, and every message below.
function listening(one, text) {
  const recording = parse(text);
  const wave = make("canvas", { class: "wave", "aria-hidden": "true" });
  const toggle = make("button", { type: "button", class: "primary", text: t("play"), disabled: true });
  const slider = make("input", { type: "range", min: 0, step: 100, value: 0, "aria-label": t("position") });
  const time = make("span", { class: "number soft" });
  const note = make("p", { class: "soft", role: "status", text: t("decoding") });
  const said = make("div", { class: "said" });
  const player = new Player(recording.entries, moved);
  slider.max = 100 * Math.ceil(player.length / 100);
  const spoken = transcript(recording.entries);
  const buttons = spoken.map((line) => make("button", { type: "button", class: line.note ? "note" : "", on: { click: () => player.seek(line.at) } },
    make("span", { class: "number soft", text: span(line.at / 1000) }), make("strong", { text: line.who ? t(line.who) : "" }), make("span", { text: line.key ? t(line.key, { s: line.text }) : line.text })));
  said.append(...buttons);
  const file = make("a", { download: `${one.session_id}.jsonl`, text: t("download"), href: URL.createObjectURL(new Blob([text], { type: "application/x-ndjson" })) });
  const raw = make("details", {}, make("summary", { text: t("messages", { count: recording.entries.length }) }));
  raw.addEventListener("toggle", () => raw.children.length === 1 && raw.append(make("pre", { class: "lines", tabindex: 0, text: told(recording.entries) })));
  const element = make("section", { class: "card player" },
    make("div", { class: "side" }, make("h2", { text: called(one.device_id), title: one.device_id }), make("span", { class: "soft", text: moment(one.started_at) }), file),
    recording.cut ? make("p", { class: "soft", text: t("cut") }) : null,
    wave, make("div", { class: "row" }, toggle, slider, time), note, said, raw);

  function moved(ms, playing) {
    say(toggle, t(playing ? "pause" : "play"));
    slider.value = ms;
    slider.setAttribute("aria-valuetext", span(ms / 1000));
    say(time, `${span(ms / 1000)} / ${span(player.length / 1000)}`);
    mark(wave, player.length ? ms / player.length : 0);
    const current = playing || ms > 0 ? spoken.findLastIndex((line) => line.at <= ms) : -1;
    buttons.forEach((button, index) => {
      if (index !== current) button.removeAttribute("aria-current");
      else if (!button.hasAttribute("aria-current")) {
        button.setAttribute("aria-current", "true");
        said.scrollTop = button.offsetTop - said.offsetTop - said.clientHeight / 2;
      }
    });
  }

  toggle.addEventListener("click", () => (player.playing ? player.pause() : player.play()));
  slider.addEventListener("input", () => player.seek(Number(slider.value)));
  wave.addEventListener("click", (event) => player.seek((player.length * event.offsetX) / wave.clientWidth));
  player.decode().then(() => {
    draw(wave, player);
    toggle.disabled = player.length === 0;
    say(note, player.length === 0 ? t("noSound") : isShortened(recording.entries) ? t("shortened") : "");
    moved(0, false);
  }).catch(() => note.replaceChildren(...coded(t("cannotDecode", { id: one.session_id }))));
  return { element, player };
}

function told(entries) {
  const shown = entries.slice(0, MOST_LINES).map(({ at_ms: at, kind, packet, ...rest }) =>
    `${at.toFixed(0).padStart(8)}  ${kind}  ${packet === undefined ? JSON.stringify(rest.message ?? rest) : `${Math.floor((packet.length * 3) / 4)} bytes`}`);
  return shown.join("\n") + (entries.length > MOST_LINES ? "\n…" : "");
}
