// Timers that count down and lists that can be ticked off, as the server's `cards` has them.

import { $, announce, icon, make } from "./dom.js";
import { onLanguage, remaining, t, timeOfDay } from "./i18n.js";

const COUNTED_S = 24 * 3600; // what is further away is shown as a moment
const RINGS_MS = 8000;
const NAMED = { shopping: "Shopping", todo: "Todo" };

export class CardTable {
  #timers = [];
  #lists = [];
  #ahead = 0; // how far the server's clock is ahead of ours, in ms
  #open = new Set();
  #drawn = []; // [timer, where its remaining time stands, its bar]
  #tick = null;

  // `say(text)`: cards do what they do by saying it, so that the conversation shows it.
  constructor({ say, clock = () => Date.now() }) {
    this.say = say;
    this.clock = clock;
    this.place = $("cards");
    onLanguage(() => this.#draw());
  }

  // A `cards` message.
  show({ timers, lists, sent_at: sentAt }) {
    this.#ahead = new Date(sentAt).getTime() - this.clock();
    this.#timers = timers.map((timer) => ({ ...timer, at: new Date(timer.due_at).getTime() }));
    this.#lists = lists;
    this.#draw();
  }

  // A timer rings: its card, if it is still there, says so for a moment.
  rings(id) {
    const timer = this.#timers.find((one) => one.id === id);
    if (!timer) return;
    timer.at = Math.min(timer.at, this.#now());
    this.#draw();
  }

  #now() {
    return this.clock() + this.#ahead;
  }

  #draw() {
    this.#timers = this.#timers.filter(({ at }) => at > this.#now() - RINGS_MS);
    this.#drawn = [];
    const places = [...this.place.querySelectorAll("button, summary")];
    const held = places.indexOf(document.activeElement);
    this.place.replaceChildren(...this.#timers.map((one) => this.#timer(one)), ...this.#lists.map((one) => this.#list(one)));
    this.place.hidden = !this.place.children.length;
    if (held >= 0) this.#hold(places[held].dataset.key, held);
    clearInterval(this.#tick);
    if (this.#timers.length) this.#tick = setInterval(() => this.#count(), 250);
    this.#count();
  }

  // Who goes by the keyboard stays where they were, or comes to what stands in its place now.
  #hold(key, at) {
    const places = [...this.place.querySelectorAll("button, summary")];
    const next = places.find(({ dataset }) => dataset.key === key) ?? places[Math.min(at, places.length - 1)];
    (next ?? $("talk")).focus({ preventScroll: true });
  }

  #timer(timer) {
    const left = make("span", { class: "left", role: "timer", "aria-live": "off" });
    const bar = timer.duration_s ? make("progress", { max: 1, value: 0, "aria-hidden": "true" }) : null;
    const name = timer.label || t(timer.kind);
    const cancel = make("button", {
      class: "round", type: "button", "aria-label": `${t("cancelTimer")}: ${name}`, title: t("cancelTimer"), data: { key: `timer ${timer.id}` },
      on: { click: () => this.say(cancelling(timer)) },
    }, icon("close"));
    this.#drawn.push({ timer, left, bar });
    const when = make("span", { class: "soft when", text: t("at", { s: timeOfDay(new Date(timer.at - this.#ahead)) }) });
    return make("section", { class: "card timer", "aria-label": name },
      make("h3", {}, icon(timer.kind === "timer" ? "clock" : "bell"), make("span", { text: name })),
      make("div", { class: "row" }, left, cancel), bar, when);
  }

  #count() {
    const now = this.#now();
    for (const { timer, left, bar } of this.#drawn) {
      const seconds = (timer.at - now) / 1000;
      const card = left.closest(".card");
      if (seconds <= 0 && !card.classList.contains("rings")) {
        card.classList.add("rings");
        announce(`${t("rings")}: ${timer.label || t(timer.kind)}`);
      }
      const words = seconds <= 0 ? t("rings") : seconds > COUNTED_S ? day(timer.at - this.#ahead) : remaining(seconds);
      if (left.textContent !== words) left.textContent = words;
      if (bar) bar.value = Math.min(1, Math.max(0, 1 - seconds / timer.duration_s));
    }
    if (this.#timers.some(({ at }) => at <= now - RINGS_MS)) this.#draw();
  }

  #list({ name, items }) {
    const title = name in NAMED ? t(`list${NAMED[name]}`) : name;
    const spoken = name in NAMED ? t(`listName${NAMED[name]}`) : name;
    const rows = items.map((item) => make("li", {}, make("button", {
      class: "item", type: "button", text: item, "aria-label": t("tickOff", { s: item }),
      data: { key: `item ${name} ${item}` },
      on: { click: ({ currentTarget }) => {
        if (currentTarget.getAttribute("aria-disabled")) return; // said already; it keeps the keyboard's focus
        currentTarget.setAttribute("aria-disabled", "true");
        this.say(t("sayRemove", { item, list: spoken }));
      } },
    })));
    const open = this.#open.has(name) || matchMedia("(min-width: 62rem)").matches;
    return make("details", {
      class: "card list", open, on: { toggle: ({ currentTarget }) => this.#open[currentTarget.open ? "add" : "delete"](name) },
    }, make("summary", { data: { key: `list ${name}` } }, icon("list"), make("span", { text: title }), make("span", { class: "count", text: items.length })), make("ul", {}, ...rows));
  }
}

function cancelling({ kind, label }) {
  if (!label) return t("sayCancelAnyTimer");
  return t(kind === "timer" ? "sayCancelTimer" : "sayCancelReminder", { s: label });
}

function day(at) {
  return new Date(at).toLocaleDateString(document.documentElement.lang, { weekday: "short", month: "short", day: "numeric" });
}
