import { parseKeybinding } from "tinykeys";
import { describe, expect, it } from "vitest";
import { isActivation, isOwned, isTyping, type PressTarget } from "./input-guard.ts";
import { SHORTCUTS, shownFor, shownKeys } from "./shortcuts.ts";

const target = (own: string, ancestors = ""): PressTarget => ({
  matches: (selector) => selector.split(", ").some((part) => part.startsWith(own)),
  closest: (selector) => (ancestors !== "" && selector.includes(ancestors) ? {} : null),
});

describe("shortcut table", () => {
  it("gives every key to one shortcut", () => {
    const keys = SHORTCUTS.flatMap((shortcut) => shortcut.keys ?? []);
    expect(new Set(keys).size).toBe(keys.length);
    expect(new Set(SHORTCUTS.map((shortcut) => shortcut.id)).size).toBe(SHORTCUTS.length);
    for (const key of keys) expect(() => parseKeybinding(key)).not.toThrow();
  });

  it("marks every key without a modifier as single, so that it can be turned off", () => {
    for (const shortcut of SHORTCUTS) {
      for (const keys of shortcut.keys ?? []) {
        const isBareLetter = /^([a-z]( [a-z])?|\[|\]|\/|\[Shift\]\+\?)$/.test(keys);
        if (isBareLetter) expect(shortcut.isSingle, keys).toBe(true);
      }
    }
  });

  it("never approves by a bare key or Enter", () => {
    for (const shortcut of SHORTCUTS.filter(({ group }) => group === "requests")) {
      expect(shortcut.shown).toMatch(/^Alt [A-Z]$/);
      expect(shortcut.keys).toBeUndefined();
    }
  });

  it("uses no digits, which browsers own", () => {
    for (const shortcut of SHORTCUTS) expect(shortcut.shown).not.toMatch(/\d/);
  });

  it("names keys as the keyboard does", () => {
    expect(shownKeys("Mod K", true)).toBe("⌘K");
    expect(shownKeys("Mod K", false)).toBe("Ctrl K");
    expect(shownFor("allow_once", true)).toBe("⌥Y");
    expect(shownFor("allow_once", false)).toBe("Alt Y");
  });
});

describe("input guard", () => {
  it("leaves fields and widgets with their own keys alone", () => {
    expect(isTyping(target("textarea"))).toBe(true);
    expect(isOwned(target("button", "[role=menu]"))).toBe(true);
    expect(isOwned(target("button"))).toBe(false);
    expect(isOwned(null)).toBe(false);
  });

  it("leaves Space and Enter to a button", () => {
    expect(isActivation(target("button"), " ")).toBe(true);
    expect(isActivation(target("article"), " ")).toBe(false);
    expect(isActivation(target("button"), "j")).toBe(false);
  });
});
