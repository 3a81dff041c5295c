// Keeps the page's own files, so that it opens without the server. Never the API, never a conversation.

const CACHE = "lumi-page";
const SHELL = /^\/(?:$|page\/|sdk\/|manifest\.webmanifest$)/;

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

// The page tells what it is made of: it was loaded before this worker was there.
self.addEventListener("message", (event) => {
  const paths = (event.data?.keep ?? []).filter((path) => SHELL.test(path));
  event.waitUntil(caches.open(CACHE).then((cache) => Promise.allSettled(paths.map((path) => missing(cache, path)))));
});

async function missing(cache, path) {
  if (!(await cache.match(path))) await cache.add(path);
}

// The server's file first, so that a new version shows at once; the kept one where there is no line.
self.addEventListener("fetch", (event) => {
  const { pathname, origin } = new URL(event.request.url);
  if (event.request.method !== "GET" || origin !== self.location.origin || !SHELL.test(pathname)) return;
  event.respondWith(fresh(event, pathname));
});

async function fresh(event, pathname) {
  try {
    const answer = await fetch(event.request);
    if (answer.ok) event.waitUntil(keep(pathname, answer.clone()));
    return answer;
  } catch (error) {
    const kept = await (await caches.open(CACHE)).match(pathname);
    if (kept) return kept;
    throw error;
  }
}

// Written only where it is another than the kept one.
async function keep(pathname, answer) {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(pathname);
  if (!kept || kept.headers.get("ETag") !== answer.headers.get("ETag")) await cache.put(pathname, answer);
}
