import { describe, expect, it } from "vitest";
import { fieldAction, type FieldContext, type FieldKey } from "./send-key.ts";

const press = (key: string, patch: Partial<FieldKey> = {}): FieldKey => ({
  key,
  ctrlKey: false,
  metaKey: false,
  shiftKey: false,
  altKey: false,
  isComposing: false,
  ...patch,
});
const at = (patch: Partial<FieldContext> = {}): FieldContext => ({
  isEmpty: false,
  isListOpen: false,
  enterSends: true,
  compositionEndedAt: null,
  now: 10_000,
  ...patch,
});

describe("fieldAction", () => {
  it("sends by Enter, ⌘↵ and Ctrl+↵, queues by ⌥↵, breaks the line by ⇧↵", () => {
    expect(fieldAction(press("Enter"), at())).toBe("send");
    expect(fieldAction(press("Enter", { metaKey: true }), at())).toBe("send");
    expect(fieldAction(press("Enter", { ctrlKey: true }), at())).toBe("send");
    expect(fieldAction(press("Enter", { altKey: true }), at())).toBe("queue");
    expect(fieldAction(press("Enter", { shiftKey: true }), at())).toBe("none");
  });

  it("leaves bare Enter to the field where the person chose so", () => {
    expect(fieldAction(press("Enter"), at({ enterSends: false }))).toBe("none");
    expect(fieldAction(press("Enter", { metaKey: true }), at({ enterSends: false }))).toBe("send");
  });

  it("never sends half a word of an input method, and does send the next Enter", () => {
    expect(fieldAction(press("Enter", { isComposing: true }), at())).toBe("none");
    expect(fieldAction(press("Enter"), at({ compositionEndedAt: 9_990 }))).toBe("none");
    expect(fieldAction(press("Enter"), at({ compositionEndedAt: 9_000 }))).toBe("send");
  });

  it("gives an open list the arrows, Enter, Tab and Escape, but not ⌘↵", () => {
    const list = at({ isListOpen: true });
    expect(fieldAction(press("ArrowDown"), list)).toBe("list_next");
    expect(fieldAction(press("ArrowUp"), list)).toBe("list_previous");
    expect(fieldAction(press("Enter"), list)).toBe("list_choose");
    expect(fieldAction(press("Tab"), list)).toBe("list_choose");
    expect(fieldAction(press("Escape"), list)).toBe("list_close");
    expect(fieldAction(press("Enter", { metaKey: true }), list)).toBe("send");
  });

  it("recalls only from an empty field and leaves by Escape", () => {
    expect(fieldAction(press("ArrowUp"), at({ isEmpty: true }))).toBe("recall");
    expect(fieldAction(press("ArrowUp"), at())).toBe("none");
    expect(fieldAction(press("Escape"), at())).toBe("leave");
  });
});
