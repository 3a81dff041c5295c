// Where the server lets nobody in without a token: the place to enter one, kept in this browser.

import { ownNames } from "/sdk/storage.js";
import { $ } from "./dom.js";

export class Door {
  constructor(settings) {
    const given = new URLSearchParams(location.hash.slice(1)).get("token");
    if (given) {
      settings.set("token", given);
      history.replaceState(null, "", location.pathname + location.search); // an address is easily shown around
    }
    this.token = settings.get("token") || undefined;
    $("tokenForm").addEventListener("submit", (event) => {
      event.preventDefault();
      settings.set("token", $("token").value.trim());
      location.reload();
    });
  }

  // There will be no more tries: what the banner says; opens the door where a token would help.
  why(error) {
    if (error?.closeCode === 4409 || error?.code === "replaced") return "replaced";
    const stranger = error?.code === "unauthorized" || error?.closeCode === 4401;
    $("door").hidden = !stranger;
    if (stranger) {
      $("doorCommand").textContent = `lumi token device ${ownNames().deviceId ?? "…"}`;
      $("token").focus();
    }
    return stranger ? "doorTitle" : "lineNever";
  }

  close() {
    $("door").hidden = true;
  }
}
