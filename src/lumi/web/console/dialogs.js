// Windows that ask something, each a form: it stays open, and says why, when what was wanted could not be done.

import { make, say } from "./dom.js";
import { t } from "./i18n.js";

// Opens a window. `act(form)` does what is wanted and gives a last word, or nothing; its errors are shown.
export function ask({ title, fields = [], yes = t("yes"), danger = false, act }) {
  const problem = make("p", { class: "bad", role: "alert" });
  const outcome = make("p", { role: "status" });
  const go = make("button", { class: danger ? "danger" : "primary", type: "submit", text: yes });
  const cancel = make("button", { type: "button", text: t("cancel"), on: { click: () => dialog.close() } });
  const heading = make("h2", { text: title, id: "dialogTitle" });
  const form = make("form", { method: "dialog" }, heading, ...fields, problem, outcome, make("div", { class: "row" }, cancel, go));
  const dialog = make("dialog", { "aria-labelledby": "dialogTitle" }, form);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    go.disabled = true;
    say(problem, "");
    try {
      const told = await act(form);
      if (!told) return dialog.close();
      say(outcome, told);
      go.hidden = true;
      say(cancel, t("close"));
      cancel.focus();
    } catch (error) {
      say(problem, error.message || t("away"));
    } finally {
      go.disabled = false;
    }
  });
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

let count = 0;

// A labelled field: `[label, input]`.
export function field(name, input) {
  input.id = `field${(count += 1)}`;
  return [make("label", { for: input.id, text: name }), input];
}
