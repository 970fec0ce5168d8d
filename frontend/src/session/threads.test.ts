import { newThreadSchema } from "@ai-dev-platform/protocol/ids";
import { describe, expect, it } from "vitest";
import { openTurn, stateWith } from "./state-fixture.ts";
import { openTurns, threadName, threadOf } from "./threads.ts";

describe("threadName", () => {
  it("is short, plain and not taken", () => {
    expect(threadName("Write the docs!", ["main"])).toBe("write-the-docs");
    expect(threadName("Main", ["main"])).toBe("main-2");
    expect(threadName("Ünïcode façade", [])).toBe("unicode-facade");
    expect(threadName("日本語", ["thread"])).toBe("thread-2");
    expect(threadName("x".repeat(300), []).length).toBeLessThanOrEqual(64);
    for (const title of ["-x-", "_", "x".repeat(300), "日本", "A b"])
      expect(newThreadSchema.safeParse(threadName(title, ["x"])).success, title).toBe(true);
  });
});

describe("threadOf", () => {
  it("gives each thread its own turn, and an unknown one none", () => {
    const main = openTurn();
    const docs = openTurn({ turnId: "trn_2" });
    const state = stateWith({ turn: main });
    const both = { ...state, threads: [...state.threads, { ...threadOf(state, "docs"), turn: docs }] };
    expect(threadOf(both, "docs").turn).toBe(docs);
    expect(threadOf(both, "main").turn).toBe(main);
    expect(threadOf(both, "gone").turn).toBeNull();
    expect(openTurns(both)).toEqual([main, docs]);
  });
});
