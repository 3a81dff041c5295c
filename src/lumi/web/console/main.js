// The operator's view: who may see it, which part is shown, and what goes on, asked every two seconds while somebody looks.

import { Refused, Unreachable, get, hasToken, setToken } from "./api.js";
import { $, coded, make, say } from "./dom.js";
import { apply, choice, choose, t } from "./i18n.js";
import { devices } from "./devices.js";
import { fetchNames, forgetNames } from "./names.js";
import { overview } from "./overview.js";
import { problems } from "./problems.js";
import { recordings } from "./recordings.js";
import { sessions } from "./sessions.js";
import { settings } from "./settings.js";
import { turns } from "./turns.js";

const EVERY_MS = 2000;
const KEPT_TURNS = 300;
// Each part makes its element once, and is then shown what goes on: `update(live, state)`.
const PARTS = { overview, sessions, turns, devices, recordings, problems, settings };

const state = { live: null, turns: [] };
let shown = null;
let timer = 0;
let asking = false;

function wanted() {
  const name = location.hash.slice(1).split("/")[0];
  return name in PARTS ? name : "overview";
}

function show() {
  if (!hasToken()) return;
  shown?.close?.();
  const name = wanted();
  for (const link of $("tabs").children) {
    if (link.hash === `#${name}`) {
      link.setAttribute("aria-current", "page");
      link.scrollIntoView({ block: "nearest", inline: "nearest" });
    } else link.removeAttribute("aria-current");
  }
  shown = PARTS[name]();
  $("view").replaceChildren(shown.element);
  if (state.live) shown.update?.(state.live, state);
}

function enter() {
  $("tabs").replaceChildren(...Object.keys(PARTS).map((name) => make("a", { href: `#${name}`, data: { t: name }, text: t(name) })));
  $("tabs").hidden = $("leave").hidden = false;
  fetchNames();
  show();
  poll();
}

function leave(problem = "") {
  setToken("");
  clearTimeout(timer);
  shown?.close?.();
  shown = null;
  state.live = null;
  state.turns = [];
  forgetNames();
  fold();
  $("tabs").hidden = $("leave").hidden = true;
  $("health").hidden = true;
  $("view").replaceChildren(door);
  door.hidden = false;
  $("doorProblem").replaceChildren(...coded(problem));
  $("token").value = "";
  $("token").focus();
}

async function poll() {
  clearTimeout(timer);
  if (asking || !hasToken()) return;
  asking = true;
  try {
    await look();
  } catch (error) {
    if (error instanceof Refused) return leave(t("doorWrong"));
    tell("away", error instanceof Unreachable ? t("away") : error.message);
  } finally {
    asking = false;
  }
  if (!document.hidden && hasToken()) timer = setTimeout(poll, EVERY_MS);
}

async function look() {
  const last = state.turns.at(-1)?.number ?? 0;
  let live = await get(`live?after=${last}`);
  if (live.turn_count < last) {  // the server was started anew
    state.turns = [];
    live = await get("live");
  }
  state.turns = [...state.turns, ...live.turns].slice(-KEPT_TURNS);
  state.live = live;
  if (live.health) tell("ill", t("ill", { why: live.health }));
  else tell("ready", t("ready"));
  shown?.update?.(live, state);
}

// On a narrow screen the choices are behind a button.
function fold(open = false) {
  $("more").setAttribute("aria-expanded", open);
}

function tell(kind, text) {
  const badge = $("health");
  badge.hidden = false;
  badge.dataset.state = kind;
  say(badge, text);
}

const door = $("door");
door.addEventListener("submit", async (event) => {
  event.preventDefault();
  setToken($("token").value);
  try {
    await get("live");
  } catch (error) {
    const told = error instanceof Refused ? t("doorWrong") : error instanceof Unreachable ? t("away") : error.message;
    return leave(told);
  }
  door.hidden = true;
  enter();
});
$("leave").addEventListener("click", () => leave());
$("more").addEventListener("click", () => fold($("more").getAttribute("aria-expanded") === "false"));
for (const name of ["language", "theme"]) {
  $(name).value = choice(name);
  $(name).addEventListener("change", () => {
    choose(name, $(name).value);
    show();
  });
}
addEventListener("hashchange", () => {
  show();
  $("view").focus();
});
document.addEventListener("visibilitychange", () => document.hidden || poll());
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => apply());

apply();
if (hasToken()) enter();
else leave();
