// Who may come in: devices, the code of those that ask to, what is said to them, and who was refused.

import { act, get, part } from "./api.js";
import { ask, field } from "./dialogs.js";
import { keyed, make, say, table } from "./dom.js";
import { moment, t } from "./i18n.js";
import { explained } from "./meaning.js";
import { called, note } from "./names.js";
import { sayOn } from "./saying.js";

const EVERY_MS = 4000;

export function devices() {
  const code = make("input", { inputmode: "numeric", autocomplete: "off", pattern: "[0-9 ]{6,12}", required: true, maxlength: 12 });
  const outcome = make("p", { role: "status" });
  const problem = make("p", { class: "bad", role: "alert" });
  const form = make("form", { class: "card" }, make("h2", { text: t("pairing") }));
  const [label, input] = field(t("code"), code);
  form.append(label, make("div", { class: "row" }, input, make("button", { class: "primary", text: t("confirm") })), outcome, problem);
  const rows = make("tbody");
  const whole = table([t("device"), t("state"), ""], rows);
  const nobody = make("p", { class: "soft", text: t("noDevices") });
  const refused = make("tbody");
  const refusals = table([t("when"), t("why"), t("device"), t("where")], refused);
  const noRefusals = make("p", { class: "soft", text: t("noRefusals") });
  const element = make("div");
  element.style.display = "contents";
  element.append(form,
    make("section", { class: "card" }, make("h2", { text: t("devices") }), nobody, whole),
    make("section", { class: "card" }, make("h2", { text: t("refusals") }), noRefusals, refusals));

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    say(outcome, "");
    say(problem, "");
    try {
      const device = await act("POST", "pairings", { code: code.value });
      say(outcome, t("paired", { name: device.name || device.id }));
      code.value = "";
      look();
    } catch (error) {
      say(problem, error.message || t("away"));
    }
  });

  function create(device) {
    return make("tr", {}, make("th", { scope: "row" }, make("span"), make("br"), make("small", { class: "soft" })), make("td", {}, make("span", { class: "state" }), make("span", { class: "soft" })), make("td", { class: "acts" }));
  }

  function fill(row, device) {
    const name = device.name || device.id;
    const [who, state, acts] = row.cells;
    say(who.firstChild, name);
    say(who.lastChild, [device.name ? device.id : "", device.model].filter(Boolean).join(" · "));
    say(state.firstChild, device.connected ? t("connected") : t(device.state === "paired" ? "state.paired" : device.state));
    state.firstChild.className = device.state === "revoked" ? "state wrong" : device.connected || device.state === "pending" ? "state" : "state quiet";
    say(state.lastChild, device.connected || !device.last_seen ? "" : ` · ${t("notHere", { when: moment(device.last_seen) })}`);
    const key = `${name} ${device.state}`;
    if (acts.dataset.made === key) return;
    acts.dataset.made = key;
    acts.replaceChildren(...buttons(device, name));
  }

  function buttons(device, name) {
    const path = `devices/${part(device.id)}`;
    const after = async (work) => {
      await work;
      await look();
    };
    const rename = () => {
      const input = make("input", { value: device.name, maxlength: 64 });
      ask({ title: name, fields: field(t("giveName"), input), yes: t("save"), act: () => after(act("PATCH", path, { name: input.value })) });
    };
    const revoke = () => ask({ title: t("revokeSure", { name }), danger: true, act: () => after(act("POST", `${path}/revoke`)) });
    const forget = () => ask({ title: t("forgetSure", { name }), danger: true, act: () => after(act("DELETE", path)) });
    const button = (text, click, kind) => make("button", { type: "button", class: kind, text, on: { click } });
    return [
      device.state === "paired" ? button(t("say"), () => sayOn(device.id, name)) : null,
      button(t("rename"), rename),
      device.state === "revoked" ? null : button(t("revoke"), revoke, "danger"),
      button(t("forget"), forget, "danger"),
    ].filter(Boolean);
  }

  let timer = 0;
  let open = true;

  async function look() {
    clearTimeout(timer);
    try {
      const [known, told] = await Promise.all([get("devices"), get("refusals")]);
      note(known.devices);
      if (!open) return;
      nobody.hidden = known.devices.length > 0;
      whole.hidden = known.devices.length === 0;
      keyed(rows, waitingFirst(known.devices), (device) => device.id, create, fill);
      const latest = told.refusals.slice(0, 50);  // newest first
      noRefusals.hidden = latest.length > 0;
      refusals.hidden = latest.length === 0;
      keyed(refused, latest, (one) => JSON.stringify(one), refusal, () => {});
    } catch { /* the badge tells */ }
    if (open && !document.hidden) timer = setTimeout(look, EVERY_MS);
  }

  look();
  return { element, close: () => { open = false; clearTimeout(timer); } };
}

// Who waits for somebody comes first.
const waitingFirst = (devices) => [...devices].sort((one, other) => (other.state === "pending") - (one.state === "pending"));

function refusal(one) {
  const where = [one.remote, one.where, one.origin].filter(Boolean).join(" ");
  return make("tr", {}, make("td", { class: "number", text: moment(one.at) }), make("td", {}, ...explained("refusal", one.reason)), make("th", { scope: "row", text: one.device_id && called(one.device_id), title: one.device_id, data: { name: t("device") } }), make("td", { class: "soft", text: where, data: { name: t("where") } }));
}
