// Keeps the page's own files, so that it opens without the server. Never the API, never a conversation.

const CACHE = "lumi-page";
const SHELL = /^\/(?:$|page\/|sdk\/|manifest\.webmanifest$)/;

// Whether the page itself had to come from here: then its parts do, too. Else they go their way without a detour.
// Null: this worker was stopped and started beneath a page, and cannot know.
let away = null;

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

// The page tells what it is made of, when it has nothing better to do.
self.addEventListener("message", (event) => {
  const paths = (event.data?.keep ?? []).filter((path) => SHELL.test(path));
  event.waitUntil(caches.open(CACHE).then((cache) => Promise.allSettled(paths.map((path) => keep(cache, path)))));
});

self.addEventListener("fetch", (event) => {
  const { pathname, origin } = new URL(event.request.url);
  if (event.request.method !== "GET" || origin !== self.location.origin || !SHELL.test(pathname)) return;
  if (event.request.mode === "navigate") event.respondWith(fresh(event.request, pathname));
  else if (away) event.respondWith(kept(event.request, pathname));
  else if (away === null) event.respondWith(fetch(event.request).catch(() => kept(event.request, pathname)));
});

// The server's page first, so that a new version shows at once; the kept one where there is no line.
async function fresh(request, pathname) {
  try {
    const answer = await fetch(request);
    away = false;
    return answer;
  } catch {
    away = true;
    return kept(request, pathname);
  }
}

async function kept(request, pathname) {
  const cache = await caches.open(CACHE);
  return (await cache.match(pathname)) ?? fetch(request);
}

// Written only where it is another than the kept one.
async function keep(cache, path) {
  const [answer, before] = await Promise.all([fetch(path, { cache: "no-cache" }), cache.match(path)]);
  if (answer.ok && before?.headers.get("ETag") !== answer.headers.get("ETag")) await cache.put(path, answer);
}
