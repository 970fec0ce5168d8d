import { webhookCreateSchema } from "@ai-dev-platform/protocol/api/webhooks";
import { expect, it } from "vitest";
import { EMPTY_WEBHOOK, webhookRequest } from "./webhook-form.ts";
import { attemptWords } from "./webhook-state.ts";

it("asks for a body that the server's schema takes", () => {
  const read = webhookRequest({ ...EMPTY_WEBHOOK, url: " https://example.com/hook " });
  expect(read).toEqual({ ok: true, webhook: { url: "https://example.com/hook", events: ["turn.ended", "approval.requested"] } });
  if (read.ok) expect(webhookCreateSchema.safeParse(read.webhook).success).toBe(true);
});

it("names each field that is wrong", () => {
  const read = webhookRequest({ url: "example.com", events: [] });
  expect(read.ok ? [] : Object.keys(read.problems)).toEqual(["url", "events"]);
});

it("says how a delivery went, in words", () => {
  expect(attemptWords({ at: 1, status: 204, error: null })).toEqual({ isGood: true, words: "Delivered (204)" });
  expect(attemptWords({ at: 1, status: 500, error: null })).toEqual({ isGood: false, words: "answered 500" });
  expect(attemptWords({ at: 1, status: null, error: "It took longer than 15 s" }).words).toBe("It took longer than 15 s");
});
