// The log's last warnings and errors.

import { get } from "./api.js";
import { keyed, make, table } from "./dom.js";
import { clock, moment, t } from "./i18n.js";
import { told } from "./meaning.js";

export function problems() {
  const rows = make("tbody");
  const whole = table([t("when"), t("state"), t("trouble")], rows);
  const none = make("p", { class: "soft", text: t("noProblems") });
  const element = make("section", { class: "card" }, make("h2", { text: t("problems") }), none, whole);
  let known = -1;
  let open = true;

  function create(one) {
    const values = Object.entries(one.values).filter(([, value]) => value !== "").map(([name, value]) => `${name}=${value}`).join("  ");
    return make("tr", {},
      make("td", { class: "number", text: clock(one.at), title: moment(one.at) }),
      make("td", {}, make("span", { class: one.level === "error" ? "state wrong" : "state", text: t(one.level) })),
      make("td", {}, ...told(one.event, one.values), make("div", { class: "mono soft", text: `${one.subject}  ${values}` })));
  }

  async function update(live) {
    if (live.problem_count === known) return;
    known = live.problem_count;
    try {
      const found = (await get("problems")).problems.reverse();
      if (!open) return;
      none.hidden = found.length > 0;
      whole.hidden = found.length === 0;
      keyed(rows, found, (one) => one.number, create, () => {});
    } catch {
      known = -1;
    }
  }

  return { element, update, close: () => { open = false; } };
}
