import { describe, expect, it } from "vitest";
import { fromOf, judgePoll, newUserCode, readUserCode, shortAddress, showUserCode } from "./machine-login.ts";

describe("user codes", () => {
  it("are read back however they are typed", () => {
    for (let count = 0; count < 50; count += 1) {
      const code = newUserCode();
      const shown = showUserCode(code);
      expect(shown).toMatch(/^[B-Z]{4}-[B-Z]{4}$/);
      for (const typed of [shown, code, shown.toLowerCase(), ` ${code.slice(0, 2)} ${code.slice(2)} `])
        expect(readUserCode(typed)).toBe(code);
    }
  });
  it.each(["", "BCDF-GHJ", "BCDF-GHJKL", "BCDF-GHJA", "BCDF-GHJ1", "ÄCDF-GHJK", "BCDF GHJK; --"])("refuses %j", (typed) => {
    expect(readUserCode(typed)).toBeNull();
  });
});

describe("a waiting device's question", () => {
  const login = { status: "waiting", intervalMs: 5_000, polledAt: 10_000, expiresAt: 100_000 } as const;
  it("[MA4] is answered by what is known", () => {
    expect(judgePoll({ ...login, polledAt: null }, 10_001)).toEqual({ kind: "pending" });
    expect(judgePoll(login, 15_000)).toEqual({ kind: "pending" });
    expect(judgePoll({ ...login, status: "approved" }, 15_000)).toEqual({ kind: "ready" });
    expect(judgePoll({ ...login, status: "denied" }, 15_000)).toEqual({ kind: "denied" });
    for (const gone of [null, { ...login, status: "used" } as const]) expect(judgePoll(gone, 15_000)).toEqual({ kind: "expired" });
    expect(judgePoll({ ...login, status: "approved" }, 100_000)).toEqual({ kind: "expired" });
  });
  it("[MA4] is slowed down when it comes too soon, also after the approval", () => {
    expect(judgePoll(login, 12_000)).toEqual({ kind: "slow_down", intervalMs: 10_000 });
    expect(judgePoll({ ...login, status: "approved" }, 12_000)).toEqual({ kind: "slow_down", intervalMs: 10_000 });
  });
});

it("says where a machine is without showing its whole address", () => {
  expect([
    fromOf(null, null),
    fromOf("127.0.0.1", "127.0.0.1"),
    fromOf("0:0:0:0", null),
    fromOf("203.0.113.9", "203.0.113.9"),
    fromOf("203.0.113.9", "198.51.100.1"),
  ]).toEqual(["this_server", "this_server", "this_server", "same_network", "other_network"]);
  expect([shortAddress("203.0.113.9"), shortAddress("2001:db8:1:2"), shortAddress(null)]).toEqual(["203.0.x.x", "2001:db8::", null]);
});
