// What was chosen on this page, kept in localStorage.

const KEY = "lumi.settings";

export const DEFAULTS = {
  language: "auto", // auto, zh, en
  theme: "auto", // auto, light, dark
  size: "normal", // normal, large
  readAloud: false, // answers to typed messages too
  subtitles: true,
  volume: 1,
  voice: "", // as the server calls it; empty: its own choice
  token: "",
};

const CHOICES = { language: ["auto", "zh", "en"], theme: ["auto", "light", "dark"], size: ["normal", "large"] };

export class Settings extends EventTarget {
  #values;

  constructor(storage = safeStorage()) {
    super();
    this.storage = storage;
    this.#values = { ...DEFAULTS, ...read(storage) };
  }

  get(name) {
    return this.#values[name];
  }

  // Keeps a choice and tells who follows it: `change`, with its name and value.
  set(name, value) {
    if (this.#values[name] === value) return;
    this.#values[name] = value;
    try {
      this.storage?.setItem(KEY, JSON.stringify(this.#values));
    } catch { /* full or switched off: the choice holds until the page is closed */ }
    this.dispatchEvent(new CustomEvent("change", { detail: { name, value } }));
  }

  // Calls `follow` with the value now and whenever it changes.
  follow(name, follow) {
    follow(this.get(name));
    this.addEventListener("change", ({ detail }) => { if (detail.name === name) follow(detail.value); });
  }
}

export function safeStorage() {
  try {
    return globalThis.localStorage ?? null;
  } catch {
    return null;
  }
}

// What was kept, as far as it makes sense.
function read(storage) {
  let kept = {};
  try {
    kept = JSON.parse(storage?.getItem(KEY) ?? "{}") ?? {};
  } catch { return {}; }
  const sound = ([name, value]) =>
    name in DEFAULTS && typeof value === typeof DEFAULTS[name] && (CHOICES[name]?.includes(value) ?? true);
  return Object.fromEntries(Object.entries(kept).filter(sound));
}
