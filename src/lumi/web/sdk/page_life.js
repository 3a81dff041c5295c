/** What the browser knows: of networks, and of pages that nobody looks at. */

/**
 * Tell of it until the returned AbortController is aborted.
 *
 * @param {object} on `online()`, `offline()`, `shown()`: somebody looks at the page again.
 */
export function followPage({ online, offline, shown }) {
  const following = new AbortController();
  const { signal } = following;
  addEventListener("online", online, { signal });
  addEventListener("offline", offline, { signal });
  document.addEventListener("visibilitychange", () => document.hidden || shown(), { signal });
  return following;
}
