// The language, the theme, and numbers as people read them. The choices are those of the conversation page.

import { TEXTS } from "./texts.js";

const KEY = "lumi.settings";
let chosen = load();

function load() {
  try {
    return JSON.parse(localStorage.getItem(KEY)) || {};
  } catch {
    return {};
  }
}

export function choice(name) {
  return chosen[name] ?? "auto";
}

export function choose(name, value) {
  chosen = { ...load(), [name]: value };
  try {
    localStorage.setItem(KEY, JSON.stringify(chosen));
  } catch { /* storage is switched off: the choice holds as long as the page */ }
  apply();
}

export function language() {
  const wanted = ["zh", "en"].includes(chosen.language) ? chosen.language : navigator.language || "en";
  return wanted.toLowerCase().startsWith("zh") ? "zh" : "en";
}

export function t(key, values = {}) {
  const text = TEXTS[language()][key] ?? TEXTS.en[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

// Gives every marked element its words, and the page its colours.
export function apply(root = document) {
  document.documentElement.lang = language() === "zh" ? "zh-CN" : "en";
  const dark = ["light", "dark"].includes(chosen.theme) ? chosen.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  document.title = `Lumi · ${t("console")}`;
  for (const element of root.querySelectorAll("[data-t]")) element.textContent = t(element.dataset.t);
  for (const element of root.querySelectorAll("[data-label]")) element.setAttribute("aria-label", t(element.dataset.label));
}

const locale = () => document.documentElement.lang || "en";

export const clock = (seconds) => new Date(seconds * 1000).toLocaleTimeString(locale(), { hour12: false });
export const moment = (seconds) => new Date(seconds * 1000).toLocaleString(locale(), { dateStyle: "medium", timeStyle: "short" });
export const number = (value, digits = 0) => value.toLocaleString(locale(), { maximumFractionDigits: digits, minimumFractionDigits: digits });
export const ms = (value) => (value < 1000 ? `${number(value)} ms` : `${number(value / 1000, value < 10000 ? 2 : 1)} s`);
export const bytes = (value) => (value < 1e6 ? `${number(value / 1e3)} kB` : `${number(value / 1e6, value < 1e8 ? 1 : 0)} MB`);

export function span(seconds) {
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, Math.floor(seconds) % 60];
  const two = (part) => String(part).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}
