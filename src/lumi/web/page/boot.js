// Before the first paint: theme, text size and language as they were chosen, so that nothing flashes.
"use strict";
(function () {
  var chosen = {};
  try { chosen = JSON.parse(localStorage.getItem("lumi.settings")) || {}; } catch (_) { /* storage is switched off */ }
  var root = document.documentElement;
  if (chosen.theme === "light" || chosen.theme === "dark") root.dataset.theme = chosen.theme;
  if (chosen.size === "large") root.dataset.size = "large";
  var language = chosen.language === "zh" || chosen.language === "en" ? chosen.language : navigator.language || "en";
  root.lang = language.slice(0, 2) === "zh" ? "zh" : "en";
})();
