import type { Role } from "@ai-dev-platform/protocol/roles";
import type { SessionState } from "@ai-dev-platform/protocol/state";
import { describe, expect, it } from "vitest";
import { openTurn, stateWith } from "../session/state-fixture.ts";
import { threadOf } from "../session/threads.ts";
import { paletteItems, type PaletteContext } from "./palette-items.ts";

const itemsOf = (context: Omit<PaletteContext, "thread">) => paletteItems({ ...context, thread: threadOf(context.state, "main") });
const idsFor = (role: Role, patch: Partial<SessionState> = {}, isShared = false) =>
  itemsOf({ state: stateWith(patch), role, mayShare: role === "owner", mayArchive: role === "owner", isShared }).map((item) => item.id);

const turn = openTurn();

describe("paletteItems", () => {
  it("offers Stop first, and only while something runs", () => {
    expect(idsFor("owner", { turn })[0]).toBe("stop");
    expect(idsFor("owner")).not.toContain("stop");
  });

  it("leaves out what the role may not do", () => {
    const ids = idsFor("approver", { turn }, true);
    for (const id of ["stop", "share", "rename", "save", "archive", "mode:plan", "go-settings"]) expect(ids).not.toContain(id);
    expect(ids).toContain("changes");
  });

  it("offers the other modes, not the one in use", () => {
    const ids = idsFor("driver", { mode: "plan" });
    expect(ids).toContain("mode:default");
    expect(ids).not.toContain("mode:plan");
    expect(ids).not.toContain("mode:bypassPermissions");
  });
});
