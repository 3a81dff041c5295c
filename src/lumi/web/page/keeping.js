// The conversation over a reload: kept in this browser alone, the newest entries first to stay.

import { safeStorage } from "./settings.js";

const KEY = "lumi.conversation";
const WAIT_MS = 300;
const MOST_ENTRIES = 200;
const MOST_CHARACTERS = 1_500_000; // browsers give an address some five million; settings and others want some too

export function kept(storage = safeStorage()) {
  try {
    const entries = JSON.parse(storage?.getItem(KEY) ?? "[]");
    return entries.filter(sound).map(settled);
  } catch {
    return [];
  }
}

// Keeps `conversation` from now on, a moment after each change and before the page goes; beside it what other tabs keep.
export function keep(conversation, storage = safeStorage()) {
  const known = new Set(conversation.entries.map(({ id }) => id)); // what is missing of these was removed here
  let timer = null;
  const write = () => {
    clearTimeout(timer);
    timer = null;
    for (const { id } of conversation.entries) known.add(id);
    const theirs = kept(storage).filter(({ id }) => !known.has(id));
    put(storage, merged(conversation.entries, theirs));
  };
  conversation.addEventListener("change", ({ detail: { what } }) => {
    if (what === "cleared") put(storage, []);
    timer ??= setTimeout(write, WAIT_MS);
  });
  addEventListener("pagehide", write);
  addEventListener("storage", ({ key, newValue }) => {
    if (key === KEY && newValue === "[]") conversation.clear();
  });
}

function put(storage, entries) {
  try {
    storage?.setItem(KEY, fitting(entries));
  } catch { /* full or switched off: the conversation lives as long as the page */ }
}

// What two tabs have to keep, as it came.
function merged(ours, theirs) {
  return [...ours, ...theirs].sort((one, other) => one.at - other.at).slice(-MOST_ENTRIES);
}

// As text that is not too long: pictures go first, then the oldest words.
export function fitting(entries) {
  let kept = entries.filter(({ state, code }) => state !== "partial" && !code).map(({ now, ...entry }) => entry);
  const text = () => JSON.stringify(kept);
  for (const entry of kept) {
    if (!entry.image || text().length <= MOST_CHARACTERS) continue;
    delete entry.image;
  }
  while (text().length > MOST_CHARACTERS) kept = kept.slice(Math.ceil(kept.length / 4));
  return text();
}

function sound(entry) {
  return entry && typeof entry.id === "string" && typeof entry.text === "string" && typeof entry.who === "string";
}

// What was growing will not grow on; what waited is told anew by the client's own queue.
function settled(entry) {
  return entry.state === "growing" ? { ...entry, state: "done" } : entry;
}
