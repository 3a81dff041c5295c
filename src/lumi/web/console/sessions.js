// Who is connected.

import { keyed, make, say, table } from "./dom.js";
import { span, t } from "./i18n.js";
import { sayOn } from "./saying.js";

export function sessions() {
  const rows = make("tbody");
  const whole = table([t("device"), t("phase"), t("client"), t("sound"), t("age"), ""], rows);
  const nobody = make("p", { class: "soft", text: t("noSessions") });
  const count = make("span", { class: "soft number" });
  const element = make("section", { class: "card" }, make("div", { class: "side" }, make("h2", { text: t("sessions") }), count), nobody, whole);

  function create(session) {
    const name = make("th", { scope: "row" });
    const button = make("button", { type: "button", text: t("say"), on: { click: () => sayOn(session.device_id, session.device_name || session.device_id) } });
    return make("tr", {}, name, make("td", {}, make("span")), make("td"), make("td", { class: "soft" }), make("td", { class: "number", data: { name: t("age") } }), make("td", { class: "acts" }, button));
  }

  function fill(row, session) {
    const [name, phase, client, sound, age] = row.cells;
    say(name, session.device_name || session.device_id);
    name.title = `${session.device_id} · ${session.id}`;
    const mark = phase.firstChild;
    say(mark, session.phase === "away" ? t("phase.away") : t(session.phase));
    mark.className = session.phase === "idle" || session.phase === "away" ? "state quiet" : "state";
    say(client, session.recorded ? `${session.client} · ${t("recorded")}` : session.client);
    say(sound, session.uplink === session.downlink ? session.uplink : `${session.uplink} → ${session.downlink}`);
    say(age, span(session.age_s));
  }

  function update(live) {
    nobody.hidden = live.sessions.length > 0;
    whole.hidden = live.sessions.length === 0;
    say(count, live.sessions.length || "");
    keyed(rows, live.sessions, (session) => session.id, create, fill);
  }

  return { element, update };
}
