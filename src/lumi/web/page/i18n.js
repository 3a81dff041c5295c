// The page's language: which it is, what is said in it, and elements that follow it.

import { TEXTS } from "./texts.js";

let language = "en";
const followers = new Set();

export function currentLanguage() {
  return language;
}

// The language that a choice ("auto", "zh", "en") comes to in this browser.
export function resolve(choice) {
  const wanted = choice === "zh" || choice === "en" ? choice : navigator.language || "en";
  return wanted.toLowerCase().startsWith("zh") ? "zh" : "en";
}

// What stands under `key`, with `values` put in.
export function t(key, values = {}) {
  const text = TEXTS[language][key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

// Calls `follow` now and whenever the language changes.
export function onLanguage(follow) {
  followers.add(follow);
  follow();
}

export function setLanguage(choice) {
  language = resolve(choice);
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  translate(document);
  for (const follow of followers) follow();
}

// Gives every marked element below `root` its words: as text, as a label for who cannot see it, as a placeholder.
export function translate(root) {
  for (const element of root.querySelectorAll("[data-t]")) element.textContent = t(element.dataset.t);
  for (const element of root.querySelectorAll("[data-label]")) {
    const words = t(element.dataset.label);
    element.setAttribute("aria-label", words);
    if (element.tagName === "BUTTON") element.title = words;
  }
  for (const element of root.querySelectorAll("[data-placeholder]")) element.placeholder = t(element.dataset.placeholder);
}

// A time of day as this language writes it.
export function timeOfDay(date) {
  return date.toLocaleTimeString(document.documentElement.lang, { hour: "numeric", minute: "2-digit" });
}

// "3:05", "1:03:05"; never below nothing.
export function remaining(seconds) {
  const whole = Math.max(0, Math.ceil(seconds));
  const two = (number) => String(number).padStart(2, "0");
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}
