// The conversation page: puts its parts together and carries what happens from one to the other.

import { LumiClient } from "/sdk/lumi.js";
import { newId } from "/sdk/protocol.js";
import { Badge } from "./badge.js";
import { CardTable } from "./cards.js";
import { ChatView } from "./chat_view.js";
import { Composer } from "./composer.js";
import { Conversation } from "./conversation.js";
import { Door } from "./door.js";
import { $, make } from "./dom.js";
import { onLanguage, setLanguage, t } from "./i18n.js";
import { Install, keepShell } from "./install.js";
import { keep, kept } from "./keeping.js";
import { Settings } from "./settings.js";
import { SettingsWindow } from "./settings_window.js";
import { Stage } from "./stage.js";
import { Talk } from "./talk.js";
import { wording } from "./trouble.js";

const settings = new Settings();
settings.follow("language", setLanguage);
settings.follow("theme", (theme) => { document.documentElement.dataset.theme = theme; });
settings.follow("size", (size) => { document.documentElement.dataset.size = size; });

const conversation = new Conversation({ entries: kept() });
keep(conversation);
const stage = new Stage(settings);
const install = new Install();
const door = new Door(settings);
const talk = new Talk({ settings, stage, conversation });
const client = new LumiClient({
  token: door.token,
  audioParams: talk.audioParams(),
  language: { zh: "zh-CN", en: "en" }[settings.get("language")],
  voice: settings.get("voice"),
});

const badge = new Badge({ retry: () => (client.ended ? connect() : client.reconnectNow()) });
const cards = new CardTable({ say: (text) => ask({ text }) });
new ChatView(conversation, {
  retry: (entry) => {
    conversation.remove(entry.id);
    ask({ text: entry.text });
  },
  takeBack: (entry) => {
    conversation.remove(entry.id);
    client.forget(entry.id);
  },
});
new Composer({ send: ask, trouble: (key) => conversation.trouble(t(key)) });
new SettingsWindow(settings, {
  install,
  clear: () => conversation.clear(),
  about: () => ({ address: location.origin.replace(/^http/, "ws") + "/", version: client.agreement?.serverVersion }),
});

// Typed words, with or without a picture. False: they stay in the line.
function ask({ text, picture = null }) {
  talk.unlock();
  if (picture && client.state !== "ready") {
    conversation.trouble(t("pictureLine"));
    return false;
  }
  const id = newId();
  const state = client.state === "ready" ? { state: "sent" } : { state: "waiting", waits: "line" };
  conversation.mine(id, text, { image: picture?.thumbnail, ...state });
  client.chat(text, { id, speak: settings.get("readAloud"), image: picture?.blob ?? null }).catch((error) => refused(id, error));
  return true;
}

const told = new Set();

// A chat that will not be answered: told by its promise, or as an event where nobody waits for it any more.
function refused(id, error) {
  if (told.has(id) || error.code === "forgotten") return;
  told.add(id);
  conversation.failed(id);
  conversation.trouble(wording(error));
}

const EVENTS = {
  state: ({ state, retryInS, final }) => {
    if (state !== "ready") conversation.lineLost();
    badge.show({ state, retryInS, why: final ? door.why(client.ended) : null });
    if (state === "ready") door.close();
  },
  delta: ({ requestId, content }) => conversation.growing(requestId, content),
  response: ({ id, content }) => conversation.answered(id, content),
  stt: ({ text, is_final: final, turn_id: turn }) => conversation.heard(text, { final, turn }),
  llm: ({ emotion }) => {
    conversation.felt(emotion);
    stage.show(emotion);
  },
  tts: ({ state, text, turn_id: turn }) => {
    if (state === "sentence_start") conversation.sentence(text, turn);
    if (state === "stop") conversation.spoken();
  },
  notify: ({ id, text, code }) => {
    conversation.told(id, text, code);
    cards.rings(id);
  },
  cards: (message) => cards.show(message),
  queue: ({ messages }) => conversation.queued(messages),
  refused: ({ id, error }) => refused(id, error),
  error: (message) => conversation.trouble(wording({ code: message.error_code, message: message.error_message })),
};
for (const [name, act] of Object.entries(EVENTS)) client.addEventListener(name, ({ detail }) => act(detail));

function greet() {
  const hour = new Date().getHours();
  $("greeting").textContent = t(hour < 5 || hour >= 18 ? "greetingEvening" : hour < 12 ? "greetingMorning" : "greetingDay");
  $("ideas").replaceChildren(...["idea1", "idea2", "idea3", "idea4"].map((key) => make("li", {},
    make("button", { class: "plain", type: "button", text: t(key), on: { click: () => ask({ text: t(key) }) } }))));
}
onLanguage(greet);

settings.follow("readAloud", (aloud) => {
  $("quiet").setAttribute("aria-pressed", aloud);
  $("quiet").querySelector("use").setAttribute("href", aloud ? "#i-sound" : "#i-mute");
});
$("quiet").addEventListener("click", () => settings.set("readAloud", !settings.get("readAloud")));

function connect() {
  client.connect().catch(() => {}); // the badge tells
}

connect();
talk.begin(client);
client.connect().catch(() => {}).finally(() => (window.requestIdleCallback ?? setTimeout)(keepShell)); // talking comes first
