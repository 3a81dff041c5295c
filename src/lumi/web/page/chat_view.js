// Draws the conversation, entry by entry, and keeps the newest in sight unless one has scrolled back.

import { $, icon, linked, make } from "./dom.js";
import { drawFace } from "./face.js";
import { onLanguage, remaining, t, timeOfDay } from "./i18n.js";

const NEAR_PX = 80;
const PAUSE_MS = 15 * 60_000;
const LATE_MS = 6000; // after that long one wonders
const COUNTED_MS = 500;
const WAITS = { line: "waitsLine", turn: "waitsTurn", rate_limited: "waitsLimited", overloaded: "waitsBusy" };
const SIDES = { me: "mine", lumi: "lumis" };

export class ChatView {
  #rows = new Map(); // by entry: { row, time }
  #conversation;
  #atEnd = true; // as it was scrolled: once the room has shrunk it is too late to look
  #height = 0;
  #dots = make("div", { class: "lumis" });
  #late = null;

  // `retry(entry)` is called for what was not sent, `takeBack(entry)` for what waits and is not wanted any more.
  constructor(conversation, { retry, takeBack }) {
    this.#conversation = conversation;
    this.retry = retry;
    this.takeBack = takeBack;
    this.list = $("talk");
    this.#dots.append(drawFace("thinking"), make("div", { class: "bubble dots" }, make("i"), make("i"), make("i")));
    for (const entry of conversation.entries) this.#add(entry);
    conversation.addEventListener("change", ({ detail }) => this.#follow(detail));
    this.list.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    new ResizeObserver(() => this.#resized()).observe(this.list); // cards, keyboard and stage take room
    $("down").addEventListener("click", () => this.toEnd());
    onLanguage(() => this.#drawAll());
    this.#drawWelcome();
    this.toEnd();
  }

  toEnd() {
    this.#atEnd = true;
    this.list.scrollTop = this.list.scrollHeight;
    this.#edge();
  }

  #follow({ what, entry }) {
    const stay = this.#near() || (what === "added" && entry.who === "me");
    if (what === "added") this.#add(entry);
    if (what === "changed") this.#fill(this.#rows.get(entry.id).row, entry);
    if (what === "removed") this.#remove(entry);
    this.#drawWelcome();
    this.#drawDots();
    if (stay) this.toEnd();
    else this.#edge();
  }

  #add(entry) {
    const entries = this.#conversation.entries;
    const before = entries[entries.indexOf(entry) - 1];
    const time = !before || entry.at - before.at > PAUSE_MS ? make("div", { class: "time", text: timeOf(entry.at) }) : null;
    const row = this.#fill(make("div"), entry);
    this.#rows.set(entry.id, { row, time });
    this.list.append(...[time, row].filter(Boolean));
  }

  #remove(entry) {
    const { row, time } = this.#rows.get(entry.id);
    row.remove();
    time?.remove();
    this.#rows.delete(entry.id);
  }

  #fill(row, entry) {
    // The list is live: who cannot see hears each answer once it is whole, and not their own words again.
    row.setAttribute("aria-busy", entry.state === "growing" || entry.state === "partial");
    if (entry.who === "me") row.setAttribute("aria-live", "off");
    row.className = `${SIDES[entry.who] ?? entry.who} ${entry.state}`;
    const bubble = make("div", { class: "bubble", dir: "auto" });
    if (entry.image) bubble.append(make("img", { src: entry.image, alt: t("pictureAlt") }));
    if (entry.who === "told") bubble.append(icon(entry.code ? "handshake" : "bell"));
    bubble.append(...(entry.code ? invitation(entry.code) : said(entry)));
    const face = entry.who === "lumi" && (row.querySelector(".face") ?? drawFace(entry.emotion));
    row.replaceChildren(...[face, bubble, this.#mark(entry)].filter(Boolean));
    return row;
  }

  #mark(entry) {
    if (entry.who !== "me") return null;
    const act = (key, click) => make("button", { class: "link", type: "button", text: t(key), on: { click: ({ currentTarget }) => {
      const byKeyboard = currentTarget.matches(":focus-visible");
      click();
      if (byKeyboard) (this.list.hidden ? $("words") : this.list).focus(); // the button is gone
    } } });
    if (entry.state === "waiting") {
      return make("p", { class: "mark" }, icon("clock"), waiting(entry), act("takeBack", () => this.takeBack(entry)));
    }
    if (entry.state !== "failed") return null;
    const again = entry.image ? null : act("again", () => this.retry(entry));
    return make("p", { class: "mark" }, icon("error"), make("span", { text: t("notSent") }), again);
  }

  #drawAll() {
    this.list.setAttribute("aria-live", "off"); // nothing new is said
    for (const entry of this.#conversation.entries) {
      const { row, time } = this.#rows.get(entry.id);
      this.#fill(row, entry);
      if (time) time.textContent = timeOf(entry.at);
    }
    setTimeout(() => this.list.setAttribute("aria-live", "polite"));
  }

  #drawWelcome() {
    const empty = !this.#rows.size;
    $("welcome").hidden = !empty;
    this.list.hidden = empty;
  }

  // Lumi thinks as long as something of mine is on its way, or was heard, and nothing of the answer is there.
  #drawDots() {
    const { entries, pondered } = this.#conversation;
    const asked = entries.findLast((entry) => entry.who === "me");
    const thinking = asked?.state === "sent" && !entries.some((entry) => entry.id === `answer ${asked.id}`);
    if (!thinking && !pondered) {
      clearTimeout(this.#late);
      this.#dots.remove();
      return;
    }
    if (!this.#dots.isConnected) {
      this.#dots.querySelector(".late")?.remove();
      this.#late = setTimeout(() => this.#drawLate(), LATE_MS);
    }
    this.list.append(this.#dots);
  }

  #drawLate() {
    const near = this.#near();
    this.#dots.append(make("span", { class: "late soft", text: t("waitsAnswer") }));
    if (near) this.toEnd();
  }

  #resized() {
    this.#height = this.list.clientHeight;
    if (this.#atEnd) this.toEnd();
    else this.#edge();
  }

  // Between a change of the room and `#resized` it says nothing about what one wants to see.
  #scrolled() {
    const { scrollTop, clientHeight } = this.list;
    if (clientHeight === this.#height) this.#atEnd = this.#near();
    this.#edge();
  }

  #near() {
    return this.list.scrollHeight - this.list.scrollTop - this.list.clientHeight < NEAR_PX;
  }

  #edge() {
    $("down").hidden = this.list.hidden || this.#near();
  }
}

// The words; the sentence that is heard right now is marked.
function said({ text, now }) {
  const at = now ? text.indexOf(now) : -1;
  if (at < 0) return linked(text);
  return [text.slice(0, at), make("span", { class: "now", text: now }), text.slice(at + now.length)];
}

// Whoever runs the server lets this browser in with the code, in one of several places.
function invitation(code) {
  return [make("div", { class: "invitation" },
    make("p", { text: t("stranger") }),
    make("p", { class: "code", text: code }),
    make("p", { text: t("strangerHelp") }),
    make("ul", {},
      make("li", {}, make("code", { text: `lumi devices pair ${code.replaceAll(" ", "")}` })),
      make("li", { text: t("strangerConsole") }),
      make("li", { text: t("strangerSettings") })),
    make("p", { class: "soft", text: t("strangerThen") }))];
}

// What a message waits for, and how long still where that is known.
function waiting({ waits, until = null }) {
  const place = make("span");
  const draw = () => {
    const left = until === null ? null : remaining((until - Date.now()) / 1000);
    place.textContent = t(WAITS[waits] ?? (left === null ? "waiting" : "waitsFailed"), { s: left });
  };
  draw();
  const timer = until === null ? null : setInterval(() => (place.isConnected ? draw() : clearInterval(timer)), COUNTED_MS);
  return place;
}

// "09:30" today, with its day before that.
function timeOf(at) {
  const date = new Date(at);
  if (date.toDateString() === new Date().toDateString()) return timeOfDay(date);
  const day = date.toLocaleDateString(document.documentElement.lang, { weekday: "short", month: "short", day: "numeric" });
  return `${day} ${timeOfDay(date)}`;
}
