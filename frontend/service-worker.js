/**
 * The service worker: serves the app's own files from this browser, and says so when no page can be fetched. The build writes
 * the list in (scripts/build-web/precache.ts), so that a new build is a new worker.
 *
 * Invariant: nothing that belongs to a person is ever stored. What is not in the list passes by untouched: /api, /v1, /s, /share,
 * /runner and all that streams. A page is asked of the network first, always.
 */
const { version, files } = __PRECACHE__;
const CACHE = `shell-${version}`;
const OFFLINE_PAGE = "/offline";
const listed = new Set(files);

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(files.map((file) => new Request(file, { credentials: "omit" })))));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(caches.keys().then((names) => Promise.all(names.filter((name) => name !== CACHE).map((name) => caches.delete(name)))));
});

// The page asks when the person has said yes to the new version.
self.addEventListener("message", (event) => {
  if (event.data === "take-over") self.skipWaiting();
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (request.mode === "navigate") {
    if (isPage(url.pathname)) event.respondWith(fetch(request).catch(() => fromCache(OFFLINE_PAGE, request)));
    return;
  }
  if (url.search === "" && listed.has(url.pathname)) event.respondWith(fromCache(url.pathname, request));
});

/** A session's page too: it is fetched like any other, never kept, and its place is taken while it cannot be fetched. */
const isPage = (pathname) => !/^\/(api|v1|share|runner|machine|llm|git|desktop)(\/|$)/.test(pathname) && !pathname.includes(".");

async function fromCache(pathname, request) {
  const cache = await caches.open(CACHE);
  return (await cache.match(pathname)) ?? fetch(request);
}
