/**
 * Headers that every answer of the Worker carries. HTML served straight from the assets gets the same ones from
 * frontend/public/_headers; a test holds the two together.
 */
import { createMiddleware } from "hono/factory";
import type { AppEnv } from "./auth.ts";

/** `'self'` in connect-src covers the sockets of the same host. Inline styles: the terminal, the editor and toasts need them. */
export const HTML_CSP = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' blob: data:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'self'",
].join("; ");
/** Data is not a page: nothing in it may load or be framed. */
const DATA_CSP = "default-src 'none'; frame-ancestors 'none'";

export const COMMON_HEADERS: Readonly<Record<string, string>> = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};

export const secureHeaders = createMiddleware<AppEnv>(async (c, next) => {
  await next();
  // A socket's answer belongs to the runtime: copying it would drop the socket.
  if (c.res.status === 101) return;
  const response = new Response(c.res.body, c.res);
  const { headers } = response;
  for (const [name, value] of Object.entries(COMMON_HEADERS)) headers.set(name, value);
  const isHtml = headers.get("content-type")?.startsWith("text/html") ?? false;
  headers.set("content-security-policy", isHtml ? HTML_CSP : DATA_CSP);
  headers.set("x-robots-tag", "noindex, nofollow, noarchive");
  headers.set("x-request-id", c.get("requestId"));
  if (!headers.has("cache-control") || isHtml) headers.set("cache-control", "no-store");
  if (new URL(c.req.url).protocol === "https:") headers.set("strict-transport-security", "max-age=31536000; includeSubDomains");
  c.res = undefined;
  c.res = response;
});
