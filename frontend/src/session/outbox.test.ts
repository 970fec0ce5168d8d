import { describe, expect, it } from "vitest";
import {
  addPrompt,
  CONFIRM_DEADLINE_MS,
  confirmDeadlinePassed,
  connectionLost,
  markSent,
  nextDeadline,
  promptsToSend,
  refuseSending,
  restorePrompts,
  retry,
  settle,
  type Outbox,
} from "./outbox.ts";

const one = () => addPrompt([], { promptId: "p1", text: "do it", delivery: "queue" }, 100);
const statuses = (outbox: Outbox) => outbox.map((prompt) => prompt.status);

describe("outbox", () => {
  it("waits without a connection and is sent with one", () => {
    expect(promptsToSend(one())).toHaveLength(1);
    expect(promptsToSend(markSent(one(), "p1", 200))).toHaveLength(0);
  });

  it("[PR1] goes again after a reconnect, under the same id, until it is acknowledged", () => {
    const again = connectionLost(markSent(one(), "p1", 200));
    expect(promptsToSend(again).map((prompt) => prompt.promptId)).toEqual(["p1"]);
    expect(settle(markSent(again, "p1", 300), "p1")).toEqual([]);
  });

  it("is not confirmed after fifteen silent seconds, and then goes only when a person asks", () => {
    const sent = markSent(one(), "p1", 200);
    expect(nextDeadline(sent)).toBe(200 + CONFIRM_DEADLINE_MS);
    expect(confirmDeadlinePassed(sent, 200 + CONFIRM_DEADLINE_MS - 1)).toBe(sent);
    const silent = confirmDeadlinePassed(sent, 200 + CONFIRM_DEADLINE_MS);
    expect(statuses(silent)).toEqual(["not_confirmed"]);
    expect(promptsToSend(connectionLost(silent))).toHaveLength(0);
    expect(promptsToSend(retry(silent, "p1")).map((prompt) => prompt.promptId)).toEqual(["p1"]);
  });

  it("does not repeat a frame that closed the connection", () => {
    expect(promptsToSend(connectionLost(refuseSending(markSent(one(), "p1", 200), "no")))).toHaveLength(0);
  });

  it("comes back from an earlier visit once, in order", () => {
    const kept = markSent(one(), "p1", 200);
    const now = addPrompt([], { promptId: "p2", text: "then this", delivery: "queue" }, 500);
    expect(restorePrompts(now, [...kept, ...now]).map((prompt) => [prompt.promptId, prompt.status])).toEqual([
      ["p1", "waiting"],
      ["p2", "waiting"],
    ]);
  });
});
