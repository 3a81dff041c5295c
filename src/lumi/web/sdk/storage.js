/**
 * Where a conversation is kept: unanswered chats in IndexedDB, the session in `sessionStorage`; or all in memory.
 *
 * A chats' store has `load() → entries in order`, `put(entry)`, `remove(id)`; entries have an `id` and an `order`. A
 * session's store has `get() → object` and `set(object)`.
 */

import { newId } from "./protocol.js";

const STORE = "chats";
const OTHER_TAB_MS = 500;

export class MemoryChats {
  async load() {
    return [];
  }

  async put() {}

  async remove() {}
}

/** Chats in IndexedDB; those of a tab that is no longer there are taken over by the next one that opens. */
export class BrowserChats {
  #name;
  #tab;
  #database = null;

  constructor(name, tab) {
    this.#name = name;
    this.#tab = tab;
  }

  async load() {
    this.#database = await this.#open();
    const held = await heldTabs();
    const ours = await this.#run("readwrite", (store) => takeOver(store, this.#tab, held));
    return ours.sort((one, other) => one.order - other.order);
  }

  async put(entry) {
    await this.#run("readwrite", (store) => store.put({ ...entry, tab: this.#tab }));
  }

  async remove(id) {
    await this.#run("readwrite", (store) => store.delete(id));
  }

  #open() {
    return new Promise((resolve, reject) => {
      const request = indexedDB.open(this.#name, 1);
      request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "id" });
      request.onsuccess = () => {
        // A page that is asked to give way does so; what it keeps from then on stays in memory.
        request.result.onversionchange = () => request.result.close();
        resolve(request.result);
      };
      request.onerror = () => reject(request.error);
    });
  }

  /** Resolves when the change is on disk for good. */
  #run(mode, work) {
    return new Promise((resolve, reject) => {
      const transaction = this.#database.transaction(STORE, mode);
      const made = work(transaction.objectStore(STORE));
      transaction.oncomplete = () => resolve(made);
      transaction.onabort = transaction.onerror = () => reject(transaction.error);
    });
  }
}

/** In one transaction, so that two tabs that open at a time do not take over the same. The list is full at its end. */
function takeOver(store, tab, held) {
  const taken = [];
  store.getAll().onsuccess = ({ target }) => {
    for (const entry of target.result) {
      if (entry.tab !== tab && held.has(entry.tab)) continue;
      taken.push(entry);
      store.put({ ...entry, tab });
    }
  };
  return taken;
}

export class MemorySession {
  #value = {};

  get() {
    return this.#value;
  }

  set(value) {
    this.#value = value;
  }
}

/** One tab's session: it outlives a reload, not the tab. */
export class BrowserSession {
  #key;

  constructor(key) {
    this.#key = key;
  }

  get() {
    try {
      return JSON.parse(sessionStorage.getItem(this.#key)) ?? {};
    } catch {
      return {}; // switched off, or written by somebody else
    }
  }

  set(value) {
    try {
      sessionStorage.setItem(this.#key, JSON.stringify(value));
    } catch {
      // switched off: a reload begins a new session
    }
  }
}

/**
 * The stores of one client: `{ chats: entries, store, session }`. Falls back to memory where the browser keeps nothing.
 *
 * @param {"browser"|"memory"} kind
 * @param {string} name one for each server and device.
 */
export async function openStorage(kind, name) {
  if (kind === "memory") return { store: new MemoryChats(), kept: [], session: new MemorySession() };
  const session = new BrowserSession(name);
  const tab = await claimTab(session);
  const store = new BrowserChats(name, tab);
  try {
    const kept = await store.load();
    return { store, kept, session };
  } catch {
    return { store: new MemoryChats(), kept: [], session }; // private windows of some browsers
  }
}

/** The names this browser goes by, the same for all its pages: whoever has both comes in under them. */
export function ownNames() {
  try {
    for (const name of ["device-id", "client-id"]) localStorage.getItem(name) || localStorage.setItem(name, newId());
    return { deviceId: localStorage.getItem("device-id"), clientId: localStorage.getItem("client-id") };
  } catch {
    return {}; // storage is switched off: a new name each time
  }
}

/**
 * This tab's own name. A duplicated tab comes with its original's storage: it gets a new name, and forgets the session.
 * Where there are no locks (plain http) that cannot be told.
 */
async function claimTab(session) {
  const { tab } = session.get();
  if (tab && (await holdTab(tab))) return tab;
  const fresh = newId();
  session.set({ tab: fresh });
  await holdTab(fresh);
  return fresh;
}

function holdTab(tab) {
  if (!navigator.locks) return true;
  return new Promise((resolve) => {
    const untilClosed = () => {
      resolve(true);
      return new Promise(() => {});
    };
    // A page that is being reloaded may need a moment to let go.
    const signal = AbortSignal.timeout(OTHER_TAB_MS);
    navigator.locks.request(`lumi ${tab}`, { signal }, untilClosed).catch(() => resolve(false));
  });
}

async function heldTabs() {
  if (!navigator.locks) return new Set();
  const { held } = await navigator.locks.query();
  return new Set(held.map(({ name }) => name.replace(/^lumi /, "")));
}
