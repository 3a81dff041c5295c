// Words for a device.

import { act, part } from "./api.js";
import { ask, field } from "./dialogs.js";
import { make } from "./dom.js";
import { t } from "./i18n.js";

const STATUS = { spoken: "spokenNow", waiting: "waiting", scheduled: "scheduled" };

export function sayOn(id, name) {
  const words = make("textarea", { rows: 3, maxlength: 1000, required: true });
  ask({
    title: t("sayTo", { name }),
    fields: field(t("words"), words),
    yes: t("send"),
    act: async () => {
      const told = await act("POST", `devices/${part(id)}/say`, { text: words.value });
      return t(STATUS[told.status] ?? told.status);
    },
  });
}
