/** The door of a platform on one's own computer: who has the key's ticket is its person, once, over loopback. */
import { createHmac, randomBytes } from "node:crypto";
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import type { ErrorBody } from "@ai-dev-platform/protocol/errors";
import { app } from "../../worker/app.ts";
import { DESKTOP_TICKET_TTL_MS, DESKTOP_USER } from "../../worker/auth/desktop-sign-in.ts";

const DESKTOP_KEY = "k".repeat(43);
const URL_HERE = "http://127.0.0.1:8787";

function ticketOf(expiresAt = Date.now() + DESKTOP_TICKET_TTL_MS - 1_000, key = DESKTOP_KEY): string {
  const head = `${expiresAt}.${randomBytes(16).toString("hex")}`;
  return `${head}.${createHmac("sha256", key).update(`desktop-ticket ${head}`).digest("hex")}`;
}

async function open(
  ticket: string,
  { url = URL_HERE, origin = url, key = DESKTOP_KEY }: { url?: string; origin?: string; key?: string } = {},
) {
  const request = new Request(`${url}/api/auth/desktop`, {
    method: "POST",
    headers: { origin, "content-type": "application/json" },
    body: JSON.stringify({ ticket }),
  });
  const response = await app.fetch(request, { ...env, DESKTOP_KEY: key });
  const body = await response.json<Partial<ErrorBody>>();
  return { status: response.status, code: body.error?.code, cookie: response.headers.getSetCookie()[0]?.split(";")[0] ?? "", body };
}

it("signs the same person in each time, by a ticket that works once", async () => {
  const ticket = ticketOf();
  const first = await open(ticket);
  expect(first).toMatchObject({ status: 201, body: DESKTOP_USER });
  expect(await open(ticket)).toMatchObject({ status: 401, code: "bad_credentials", cookie: "" });
  const again = await open(ticketOf());
  expect(again).toMatchObject({ status: 200, body: first.body });
  const me = await app.fetch(new Request(`${URL_HERE}/api/me`, { headers: { cookie: again.cookie } }), env);
  expect(me.status).toBe(200);
});

it("refuses tickets that are old, made for later, altered, or made with another key", async () => {
  const good = ticketOf();
  const altered = `${good.slice(0, -1)}${good.endsWith("0") ? "1" : "0"}`;
  const later = ticketOf(Date.now() + 10 * DESKTOP_TICKET_TTL_MS);
  for (const bad of [ticketOf(Date.now() - 1), later, altered, ticketOf(undefined, "x".repeat(43)), "", "a.b.c"])
    expect(await open(bad)).toMatchObject({ status: 401, code: "bad_credentials", cookie: "" });
});

it("is no door for other sites, other addresses, or a platform without the key", async () => {
  expect(await open(ticketOf(), { origin: "http://evil.example" })).toMatchObject({ status: 403, code: "bad_origin" });
  expect(await open(ticketOf(), { url: "https://dev.example.com" })).toMatchObject({ code: expect.stringMatching(/not_found|bad_origin/) });
  expect(await open(ticketOf(), { key: "" })).toMatchObject({ status: 404, code: "not_found" });
  expect(await open(ticketOf(), { key: "short" })).toMatchObject({ status: 404, code: "not_found" });
});
