// The page as an app: a service worker that keeps its own files, and the browser's offer to install it.

// What the page loads only when somebody talks: the audio thread's part.
const LATER = ["microphone-worklet", "player-worklet", "meter", "jitter", "resampler"].map((name) => `/sdk/audio/${name}.js`);

export class Install extends EventTarget {
  #offer = null;

  constructor() {
    super();
    addEventListener("beforeinstallprompt", (event) => {
      event.preventDefault();
      this.#offer = event;
    });
    addEventListener("appinstalled", () => { this.#offer = null; });
  }

  get possible() {
    return this.#offer !== null;
  }

  async ask() {
    const offer = this.#offer;
    this.#offer = null;
    await offer?.prompt();
  }
}

// Only pages that came safely get one; then the page opens without the server too, and what is written waits.
export async function keepShell() {
  if (!navigator.serviceWorker || !isSecureContext) return;
  try {
    await navigator.serviceWorker.register("/sw.js");
    const { active } = await navigator.serviceWorker.ready;
    const loaded = performance.getEntriesByType("resource").map(({ name }) => new URL(name));
    const ours = loaded.filter(({ origin }) => origin === location.origin).map(({ pathname }) => pathname);
    active.postMessage({ keep: ["/", ...new Set([...ours, ...LATER])] });
  } catch { /* switched off in this browser: the page works all the same */ }
}
