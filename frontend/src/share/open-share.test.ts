import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { openShare, takeSecret } from "./open-share.ts";

const view = { shareId: "shr_1", sessionId: "ses_1", title: "T", sharedBy: "Mara", role: "viewer", expiresAt: 1 };
const address = { hash: "", pathname: "/share/shr_1", search: "?at=7" };
const replaced: string[] = [];
let calls: { path: string; method: string; body: unknown }[] = [];
let answers: (() => Response)[] = [];

beforeEach(() => {
  calls = [];
  answers = [];
  replaced.length = 0;
  vi.stubGlobal("location", address);
  vi.stubGlobal("history", {
    state: null,
    replaceState: (_state: unknown, _title: string, url: string) => {
      replaced.push(url);
      address.hash = "";
    },
  });
  vi.stubGlobal("fetch", (path: string, init: RequestInit) => {
    calls.push({ path, method: init.method ?? "GET", body: typeof init.body === "string" ? JSON.parse(init.body) : null });
    const answer = answers.shift();
    return answer === undefined ? Promise.reject(new TypeError("network")) : Promise.resolve(answer());
  });
});
afterEach(() => vi.unstubAllGlobals());

it("strips the secret from the address, and sends it by POST once", async () => {
  address.hash = "#s3cr%2Bt";
  takeSecret("shr_1");
  takeSecret("shr_1");
  expect(replaced).toEqual(["/share/shr_1?at=7"]);
  answers = [() => Response.json(view), () => Response.json(view)];
  // Rendered twice, asked once.
  expect(await Promise.all([openShare("shr_1"), openShare("shr_1")])).toEqual([view, view]);
  await openShare("shr_1");
  expect(calls).toEqual([
    { path: "/api/share/exchange", method: "POST", body: { shareId: "shr_1", secret: "s3cr+t" } },
    { path: "/api/share/shr_1", method: "GET", body: null },
  ]);
});

it("keeps the secret while the network is broken", async () => {
  address.hash = "#again";
  takeSecret("shr_2");
  await expect(openShare("shr_2")).rejects.toMatchObject({ code: "unavailable" });
  answers = [() => Response.json(view)];
  await openShare("shr_2");
  expect(calls.map(({ body }) => body)).toEqual([
    { shareId: "shr_2", secret: "again" },
    { shareId: "shr_2", secret: "again" },
  ]);
});
