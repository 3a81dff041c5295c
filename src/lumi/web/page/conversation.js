// What stands in the conversation: entries, changed by what happens. It knows neither the screen nor the network.
//
// An entry: { id, who: "me" | "lumi" | "told" | "trouble", text, state, at, emotion?, image?, turn?, now?, code?, waits?, until? }
// `state`: of mine "waiting", "sent", "done", "failed", "partial"; of Lumi's "growing", "done".

const KEPT = 200;
const RECENT = 4;

export class Conversation extends EventTarget {
  #entries = [];
  #emotion = "neutral";
  #announced = new Map(); // words of notices that stand there already and will be spoken, by entry
  #pondered = false;
  #repeated = new Set(); // those that the present spoken turn says

  constructor({ entries = [], clock = () => Date.now() } = {}) {
    super();
    this.clock = clock;
    this.#entries = entries;
  }

  get entries() {
    return this.#entries;
  }

  // Whether something said was understood, and nothing has come of it yet.
  get pondered() {
    return this.#pondered;
  }

  find(id) {
    return this.#entries.find((entry) => entry.id === id);
  }

  // I typed something; it is on its way, or waits.
  mine(id, text, { image, state = "sent", waits = null, until = null } = {}) {
    return this.#add({ id, who: "me", text, state, image, waits, until });
  }

  // A chat's progress, from what the client still holds: whatever it does not hold is over.
  queued(messages) {
    const open = new Map(messages.map((message) => [message.id, message]));
    for (const entry of this.#entries.filter(({ who, state }) => who === "me" && (state === "waiting" || state === "sent"))) {
      const message = open.get(entry.id);
      if (message) this.#change(entry, progress(message));
    }
    for (const message of messages) {
      if (!this.find(message.id)) this.mine(message.id, message.content, progress(message));
    }
  }

  failed(id) {
    const entry = this.find(id);
    if (entry) this.#change(entry, { state: "failed" });
    this.remove(`answer ${id}`);
  }

  // One more piece of an answer, and all of it so far.
  growing(id, content) {
    this.#answer(id, content, "growing");
  }

  // The whole answer. `id` is null where it stands for speech that nobody was there to hear.
  answered(id, content) {
    const asked = id && this.find(id);
    if (asked) this.#change(asked, { state: "done" });
    const spoken = asked ? null : this.#spoken(content);
    if (!asked) this.#decided();
    if (spoken) this.#change(spoken, { text: content, state: "done", now: null });
    else this.#answer(id ?? this.#newId("unheard"), content, "done");
  }

  // What is being recognised, word by word; its final form replaces it.
  heard(text, { final, turn }) {
    const id = `heard ${turn ?? "now"}`;
    const partial = this.#entries.find((entry) => entry.who === "me" && entry.state === "partial");
    const entry = partial ?? this.find(id);
    this.#pondered = Boolean(final && text);
    if (final && !text) {
      if (partial) this.remove(partial.id);
      return;
    }
    if (entry) this.#change(entry, { text, state: final ? "done" : "partial" });
    else this.#add({ id: turn ? id : this.#newId("heard"), who: "me", text, state: final ? "done" : "partial" });
  }

  felt(emotion) {
    this.#emotion = emotion;
  }

  // A sentence of a spoken answer is about to be heard.
  sentence(text, turn) {
    this.#decided();
    if (!text || this.find(`answer ${turn}`)?.state === "done") return; // a typed chat's answer, read aloud
    const told = this.#entries.find((entry) => entry.who === "told" && this.#announced.get(entry.id)?.includes(text.trim()));
    if (told) {
      this.#repeated.add(told.id);
      return;
    }
    const id = `spoken ${turn ?? "now"}`;
    const entry = this.find(id);
    if (entry && entry.state === "growing") this.#change(entry, { text: joined(entry.text, text) });
    else this.#add({ id: entry ? this.#newId("spoken") : id, who: "lumi", text, state: "growing", emotion: this.#emotion, turn });
  }

  // The sentence that is heard right now; null: none.
  saying(text, turn) {
    for (const entry of this.#entries) {
      const mine = entry.who !== "me" && text && (entry.turn === turn || entry.id === `answer ${turn}`) && entry.text.includes(text);
      const now = mine ? text : null;
      if ((entry.now ?? null) !== now) this.#change(entry, { now });
    }
  }

  // The spoken turn is over.
  spoken() {
    for (const id of this.#repeated) this.#announced.delete(id);
    this.#repeated.clear();
    this.#decided();
    this.#emotion = "neutral";
    for (const entry of this.#entries.filter(({ id, state }) => state === "growing" && id.startsWith("spoken"))) {
      this.#change(entry, { state: "done", now: null });
    }
  }

  // The line broke: what was half heard stays half heard.
  lineLost() {
    for (const entry of this.#entries.filter(({ state }) => state === "partial")) this.remove(entry.id);
    this.saying(null);
    this.#decided();
  }

  // A timer, a reminder or a push. `code`: who runs the server lets this browser in with it; the newest is the one that counts.
  told(id, text, code = undefined) {
    if (code) for (const old of this.#entries.filter((entry) => entry.code)) this.remove(old.id);
    const spoken = this.#entries.findLast(({ id: other, state }) => state === "growing" && other.startsWith("spoken"));
    this.#announced.set(`told ${id}`, text);
    if (spoken && text.includes(spoken.text)) this.remove(spoken.id); // its speech was faster
    if (!this.find(`told ${id}`)) this.#add({ id: `told ${id}`, who: "told", text, code, state: "done" });
  }

  trouble(text) {
    this.#decided();
    const last = this.#entries.at(-1);
    if (last?.who !== "trouble" || last.text !== text) this.#add({ id: this.#newId("trouble"), who: "trouble", text, state: "done" });
  }

  remove(id) {
    const entry = this.find(id);
    if (!entry) return;
    this.#entries = this.#entries.filter((other) => other !== entry);
    this.#tell("removed", entry);
  }

  clear() {
    for (const entry of [...this.#entries]) this.remove(entry.id);
    this.#tell("cleared", null);
  }

  // It came to something, or to nothing.
  #decided() {
    if (!this.#pondered) return;
    this.#pondered = false;
    this.#tell("decided", null);
  }

  #answer(id, content, state) {
    const entry = this.find(`answer ${id}`);
    if (entry) this.#change(entry, { text: content, state });
    else this.#add({ id: `answer ${id}`, who: "lumi", text: content, state, emotion: this.#emotion, turn: id });
  }

  // What was heard of an answer before the line broke or the page was loaded anew.
  #spoken(content) {
    const recent = this.#entries.slice(-RECENT);
    return recent.findLast(({ id, text }) => id.startsWith("spoken") && text && content.startsWith(text)) ?? null;
  }

  #newId(what) {
    return `${what} ${this.clock()} ${this.#entries.length}`;
  }

  #add(entry) {
    const whole = { at: this.clock(), ...entry };
    this.#entries.push(whole);
    if (this.#entries.length > KEPT) this.remove(this.#entries[0].id);
    this.#tell("added", whole);
    return whole;
  }

  #change(entry, fields) {
    if (Object.entries(fields).every(([name, value]) => entry[name] === value)) return;
    Object.assign(entry, fields);
    this.#tell("changed", entry);
  }

  #tell(what, entry) {
    this.dispatchEvent(new CustomEvent("change", { detail: { what, entry } }));
  }
}

// How far a chat is that the client holds, and what it waits for.
function progress({ sent, waits, until }) {
  return { state: sent ? "sent" : "waiting", waits: waits ?? null, until: until ?? null };
}

// Two sentences as one text: a space between words, none between Chinese characters.
export function joined(before, after) {
  const close = /[\u2e80-\u9fff\uff00-\uffef]$/.test(before) || /^[\u2e80-\u9fff\uff00-\uffef]/.test(after);
  return before && after ? before + (close || /\s$/.test(before) ? "" : " ") + after : before || after;
}
