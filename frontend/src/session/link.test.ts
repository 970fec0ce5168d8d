import { CLOSE } from "@ai-dev-platform/protocol/close-codes";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { initialLink, retryDelayMs, stepLink, type LinkEffect, type LinkInput, type LinkState } from "./link.ts";

interface Told {
  state: LinkState;
  effects: LinkEffect["type"][];
}

function tell(inputs: readonly (LinkInput | { at: number })[], isOnline = true): Told {
  let state = initialLink(0);
  let now = 0;
  let effects: LinkEffect["type"][] = [];
  for (const input of inputs) {
    if ("at" in input) now = input.at;
    else {
      const step = stepLink(state, input, now, 0.5, isOnline);
      state = step.state;
      effects = step.effects.map((effect) => effect.type);
    }
  }
  return { state, effects };
}

const OPEN: LinkInput[] = [{ type: "start" }, { type: "ticket", ticket: "t" }, { type: "opened" }, { type: "welcomed" }];

describe("link", () => {
  it("[VS1] says hello first, when the socket is open", () => {
    expect(tell(OPEN.slice(0, 3))).toMatchObject({ state: { phase: "greeting" }, effects: ["hello"] });
    expect(tell(OPEN).state).toMatchObject({ phase: "open", wasOpen: true });
  });

  it("[RO2] asks for a new ticket at every connection", () => {
    const { effects } = tell([...OPEN, { type: "closed", code: 1006 }, { type: "timer", timer: "retry" }]);
    expect(effects).toContain("fetch_ticket");
  });

  it("waits longer after each failure and forgives them after a stable connection", () => {
    const failing: LinkInput[] = [
      { type: "ticket_failed", code: "unavailable" },
      { type: "timer", timer: "retry" },
    ];
    expect(tell([{ type: "start" }, ...failing, ...failing, ...failing]).state.attempt).toBe(3);
    const lost = tell([{ type: "start" }, ...failing, ...failing, ...OPEN.slice(1), { at: 60_000 }, { type: "closed", code: 1006 }]);
    expect(lost.state).toMatchObject({ phase: "waiting", attempt: 1, retryAt: 60_000 + retryDelayMs(0, 0.5) });
  });

  it("never waits less than half of its delay nor more than fifteen seconds", () => {
    fc.assert(
      fc.property(fc.nat(60), fc.double({ min: 0, max: 1, noNaN: true }), (attempt, random) => {
        const delayMs = retryDelayMs(attempt, random);
        expect(delayMs).toBeGreaterThanOrEqual(Math.min(15_000, 500 * 2 ** attempt) / 2 - 1);
        expect(delayMs).toBeLessThanOrEqual(15_000);
      }),
    );
  });

  it.each([
    [CLOSE.revoked, "revoked"],
    [CLOSE.deleted, "deleted"],
    [CLOSE.incompatible, "incompatible"],
  ] as const)("ends for good at close code %i", (code, endedReason) => {
    const told = tell([...OPEN, { type: "closed", code }, { type: "wake" }, { type: "timer", timer: "retry" }]);
    expect(told.state).toMatchObject({ phase: "ended", endedReason });
    expect(told.effects).toEqual([]);
  });

  it.each([
    ["not_found", "not_found"],
    ["session_deleted", "deleted"],
    ["share_ended", "revoked"],
    ["not_signed_in", "revoked"],
  ])("ends for good when the ticket is refused with %s", (code, endedReason) => {
    expect(tell([{ type: "start" }, { type: "ticket_failed", code }]).state).toMatchObject({ phase: "ended", endedReason });
  });

  it.each([CLOSE.resume, CLOSE.unauthorized, CLOSE.badFrame, 1006, 1012])("comes back after close code %i", (code) => {
    expect(tell([...OPEN, { type: "closed", code }]).state.phase).toBe("waiting");
  });

  it("[VS6] pauses before it comes back from flooding", () => {
    expect(tell([...OPEN, { type: "closed", code: CLOSE.flooding }]).state.retryAt).toBeGreaterThanOrEqual(5_000);
  });

  it("[VS2] comes back at a gap", () => {
    expect(tell([...OPEN, { type: "gap" }])).toMatchObject({ state: { phase: "waiting" } });
  });

  it("asks an open socket whether it lives when the page wakes, and replaces one that does not answer", () => {
    expect(tell([...OPEN, { type: "wake" }]).effects).toEqual(["ping", "arm"]);
    expect(tell([...OPEN, { type: "wake" }, { type: "heard" }]).effects).toEqual(["disarm", "arm"]);
    const dead = tell([...OPEN, { type: "wake" }, { type: "timer", timer: "pong" }]);
    expect(dead.state.phase).toBe("ticket");
    expect(dead.effects).toEqual(expect.arrayContaining(["drop", "fetch_ticket"]));
  });

  it("connects at once when the page wakes while it waits", () => {
    expect(tell([...OPEN, { type: "closed", code: 1006 }, { type: "wake" }]).state).toMatchObject({ phase: "ticket", attempt: 0 });
  });

  it("starts over when a handshake takes too long", () => {
    for (const count of [1, 2, 3])
      expect(tell([...OPEN.slice(0, count), { type: "timer", timer: "deadline" }]).state.phase).toBe("waiting");
  });

  it("does not try while the browser is offline, and does when it is back", () => {
    let told = tell([...OPEN, { type: "closed", code: 1006 }], false);
    expect(told.state.phase).toBe("offline");
    told = { ...told, state: stepLink(told.state, { type: "wake" }, 5, 0.5, true).state };
    expect(told.state.phase).toBe("ticket");
  });

  it("never holds two sockets: every dial drops the one before", () => {
    const input = fc.oneof(
      fc.constantFrom<LinkInput>(...OPEN, { type: "wake" }, { type: "offline" }, { type: "gap" }, { type: "heard" }, { type: "stop" }),
      fc.constantFrom(1000, 1006, 4000, 4008, 4029, 4401).map((code): LinkInput => ({ type: "closed", code })),
      fc
        .constantFrom("retry" as const, "deadline" as const, "pong" as const, "heartbeat" as const)
        .map((timer): LinkInput => ({ type: "timer", timer })),
    );
    fc.assert(
      fc.property(fc.array(input, { maxLength: 60 }), (inputs) => {
        let state = initialLink(0);
        let sockets = 0;
        for (const value of inputs) {
          const step = stepLink(state, value, 0, 0.5);
          if (value.type === "closed" && ["opening", "greeting", "open"].includes(state.phase)) sockets = 0;
          for (const effect of step.effects) {
            if (effect.type === "drop") sockets = 0;
            if (effect.type === "open") sockets++;
          }
          state = step.state;
          expect(sockets).toBeLessThanOrEqual(1);
          expect(sockets === 1).toBe(["opening", "greeting", "open"].includes(state.phase));
        }
      }),
    );
  });
});
