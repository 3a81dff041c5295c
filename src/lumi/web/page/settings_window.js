// The window with all that can be chosen here, and with what one may want to know.

import { $, make, open } from "./dom.js";
import { onLanguage, t } from "./i18n.js";

export class SettingsWindow {
  #voices = [];
  #opened = {};

  // `clear()` empties the conversation; `about()` gives address and server version; `pair(code, token)` lets a device in.
  constructor(settings, { clear, about, install }) {
    this.settings = settings;
    this.clear = clear;
    this.about = about;
    this.install = install;
    $("openSettings").addEventListener("click", () => {
      this.#opened = spoken(settings);
      $("settingsBody").replaceChildren();
      this.#draw();
      this.#askVoices();
      open($("settings"));
    });
    $("settings").addEventListener("close", () => {
      // The server hears of these in the hello; the conversation goes on where it was.
      if (JSON.stringify(spoken(settings)) !== JSON.stringify(this.#opened)) location.reload();
    });
    onLanguage(() => this.#draw());
  }

  #draw() {
    const focused = document.activeElement?.id;
    const parts = () => [...$("settingsBody").querySelectorAll("details, #code, #admin")];
    const before = parts().map(({ open, value }) => ({ open, value })); // the window is drawn anew at each choice
    $("settingsBody").replaceChildren(
      this.#choice("language", { auto: t("automatic"), zh: "中文", en: "English" }),
      this.#choice("theme", { auto: t("automatic"), light: t("light"), dark: t("dark") }),
      this.#choice("size", { normal: t("normal"), large: t("large") }),
      this.#volume(),
      this.#voice(),
      this.#switch("readAloud"),
      this.#switch("subtitles"),
      ...this.#actions(),
      make("details", {}, make("summary", { text: t("keys") }), make("p", { text: t("keysHelp") })),
      this.#connect(),
    );
    before.forEach((held, at) => Object.assign(parts()[at], held));
    if (focused) document.getElementById(focused)?.focus();
  }

  #choice(name, options) {
    const labels = Object.entries(options).map(([value, text]) => {
      const checked = this.settings.get(name) === value;
      const choose = () => {
        this.settings.set(name, value);
        this.#draw();
      };
      const input = make("input", { type: "radio", name, value, id: `${name}-${value}`, checked, on: { change: choose } });
      const lang = { zh: "zh-CN", en: "en" }[value];
      return make("label", { class: checked ? "on" : "", lang }, input, make("span", { text }));
    });
    return make("fieldset", { class: "field" }, make("legend", { text: t(name) }), make("div", { class: "choice" }, ...labels));
  }

  #switch(name) {
    const input = make("input", {
      type: "checkbox", role: "switch", id: name, checked: this.settings.get(name),
      on: { change: ({ target }) => this.settings.set(name, target.checked) },
    });
    return make("label", { class: "switch" }, make("span", { text: t(name) }), input);
  }

  // Which voices there are, the server knows; where it does not tell, there is nothing to choose.
  #voice() {
    if (!this.#voices.length) return "";
    const options = ["", ...this.#voices].map((name) => make("option", { value: name, text: voiceName(name), selected: name === this.settings.get("voice") }));
    const select = make("select", { id: "voiceName", on: { change: ({ target }) => this.settings.set("voice", target.value) } }, ...options);
    return make("div", { class: "field" }, make("label", { for: "voiceName", text: t("voice") }), select);
  }

  async #askVoices() {
    try {
      const answer = await fetch("/voices");
      this.#voices = answer.ok ? (await answer.json()).voices : [];
    } catch {
      this.#voices = []; // no line
    }
    this.#draw();
  }

  #volume() {
    const input = make("input", {
      type: "range", id: "volume", min: 0, max: 1, step: 0.05, value: this.settings.get("volume"),
      on: { input: ({ target }) => this.settings.set("volume", Number(target.value)) },
    });
    return make("div", { class: "field" }, make("label", { for: "volume", text: t("volume") }), input);
  }

  #actions() {
    const install = this.install.possible && make("button", {
      class: "plain", type: "button", text: t("install_app"), on: { click: () => this.install.ask() },
    });
    const sure = make("div", { class: "line", hidden: true },
      make("span", { text: t("clearSure") }),
      make("button", { class: "plain danger", type: "button", text: t("yes"), on: { click: () => {
        this.clear();
        $("settings").close?.();
      } } }),
      make("button", { class: "plain", type: "button", text: t("no"), on: { click: () => { sure.hidden = true; } } }));
    const clear = make("button", { class: "plain", type: "button", text: t("clear"), on: { click: () => { sure.hidden = false; } } });
    return [make("div", { class: "line" }, ...[install, clear].filter(Boolean)), sure];
  }

  #connect() {
    const { address, version } = this.about();
    const code = (text) => make("pre", { tabindex: 0 }, make("code", { text }));
    return make("details", {},
      make("summary", { text: t("connect") }),
      make("p", { text: t("address") }), code(address),
      make("p", { text: t("terminal") }), code(`lumi chat --url ${address}\nlumi talk --url ${address}`),
      pairing(),
      make("p", { class: "soft" }, version ? make("span", { text: `${t("server", { s: version })} · ` }) : null,
        make("a", { href: "/healthz", text: t("health") }), " · ", make("a", { href: "/metrics", text: t("metrics") }), " · ", make("a", { href: "/console", text: t("console") })));
  }
}

function spoken(settings) {
  return { language: settings.get("language"), voice: settings.get("voice") };
}

// "+f3": a woman's voice, "+m1": a man's; any other goes by its own name.
function voiceName(name) {
  if (!name) return t("voiceDefault");
  const [, kind, number] = /^\+([fm])(\d+)$/.exec(name) ?? [];
  return kind ? t(kind === "f" ? "voiceWoman" : "voiceMan", { s: number }) : name;
}

// Lets a device of the household in, with the code that it shows.
function pairing() {
  const code = make("input", { type: "text", inputmode: "numeric", autocomplete: "off", maxlength: 7, id: "code" });
  const admin = make("input", { type: "password", autocomplete: "off", id: "admin" });
  const said = make("p", { role: "status" });
  const submit = async (event) => {
    event.preventDefault();
    said.textContent = await letIn(code.value.trim(), admin.value.trim());
  };
  return make("form", { id: "pair", on: { submit } },
    make("h3", { text: t("pairing") }), make("p", { class: "soft", text: t("pairingHelp") }),
    make("label", { for: "code", text: t("codeLabel") }), code,
    make("label", { for: "admin", text: t("adminLabel") }), admin,
    make("div", { class: "line" }, make("button", { class: "primary", text: t("letIn") })), said);
}

async function letIn(code, admin) {
  const headers = { Authorization: `Bearer ${admin}`, "Content-Type": "application/json" };
  try {
    const answer = await fetch("/api/v1/pairings", { method: "POST", headers, body: JSON.stringify({ code }) });
    const said = await answer.json();
    return answer.ok ? t("pairedOk", { s: said.name || said.model || said.id }) : t("pairedNot", { s: said.error.message });
  } catch (error) {
    return t("pairedNot", { s: error.message });
  }
}
