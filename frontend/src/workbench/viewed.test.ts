import type { ChangedFile } from "@ai-dev-platform/protocol/events";
import { describe, expect, it } from "vitest";
import { isViewed, toggleViewed } from "./viewed.ts";

const file: ChangedFile = { path: "src/a.ts", status: "modified", additions: 3, deletions: 1 };

describe("viewed", () => {
  it("forgets the mark when the file changes again", () => {
    const viewed = toggleViewed(new Map(), file);
    expect(isViewed(viewed, file)).toBe(true);
    expect(isViewed(viewed, { ...file, additions: 4 })).toBe(false);
  });

  it("takes the mark away on the second time", () => {
    expect(toggleViewed(toggleViewed(new Map(), file), file).size).toBe(0);
  });
});
