import { ROLES } from "@ai-dev-platform/protocol/roles";
import { describe, expect, it } from "vitest";
import { warmsOnOpen, type Opening } from "./use-warm-on-open.ts";

const opening: Opening = { role: "owner", isLive: true, isHidden: false, host: "asleep", isCapped: false };

describe("warmsOnOpen", () => {
  it("starts a runner for who may prompt, and for nobody who only looks", () => {
    expect(ROLES.filter((role) => warmsOnOpen({ ...opening, role }))).toEqual(["driver", "owner"]);
    expect(warmsOnOpen({ ...opening, role: null })).toBe(false);
  });
  it("starts none from a tab in the background, before the session is known, or over a cap", () => {
    expect(warmsOnOpen({ ...opening, isHidden: true })).toBe(false);
    expect(warmsOnOpen({ ...opening, isLive: false })).toBe(false);
    expect(warmsOnOpen({ ...opening, host: null })).toBe(false);
    expect(warmsOnOpen({ ...opening, isCapped: true })).toBe(false);
  });
  it("leaves a runner alone that is there, on its way, or failed", () => {
    for (const host of ["ready", "starting", "waking", "restoring", "degraded", "waiting", "lost", "failed"] as const)
      expect(warmsOnOpen({ ...opening, host }), host).toBe(false);
  });
});
