import { describe, expect, it } from "vitest";
import { altLetter, DOCK_GUARD_MS, dockKey, type PressedKey } from "./shortcut-guard.ts";

const press = (patch: Partial<PressedKey>): PressedKey => ({
  key: "",
  code: "",
  altKey: false,
  ctrlKey: false,
  metaKey: false,
  shiftKey: false,
  repeat: false,
  isComposing: false,
  ...patch,
});

const LATER = DOCK_GUARD_MS;

describe("dockKey", () => {
  it("answers by Alt and a letter once the request has been there long enough", () => {
    expect(dockKey(press({ key: "y", altKey: true }), 0, LATER)).toBe("allow_once");
    expect(dockKey(press({ key: "a", altKey: true }), 0, LATER)).toBe("allow_session");
    expect(dockKey(press({ key: "n", altKey: true }), 0, LATER)).toBe("deny");
  });

  it("ignores a press in the first 600 ms", () => {
    expect(dockKey(press({ key: "y", altKey: true }), 1_000, 1_599)).toBeNull();
    expect(dockKey(press({ key: "y", altKey: true }), 1_000, 1_600)).toBe("allow_once");
  });

  it("never answers by Enter, a bare letter, a repeat or a composed character", () => {
    expect(dockKey(press({ key: "Enter", code: "Enter" }), 0, LATER)).toBeNull();
    expect(dockKey(press({ key: "Enter", code: "Enter", altKey: true }), 0, LATER)).toBeNull();
    expect(dockKey(press({ key: "y", code: "KeyY" }), 0, LATER)).toBeNull();
    expect(dockKey(press({ key: "y", altKey: true, repeat: true }), 0, LATER)).toBeNull();
    expect(dockKey(press({ key: "y", altKey: true, isComposing: true }), 0, LATER)).toBeNull();
    expect(dockKey(press({ key: "y", altKey: true, ctrlKey: true }), 0, LATER)).toBeNull();
  });
});

describe("altLetter", () => {
  it("reads the physical key where Option types another character", () => {
    expect(altLetter(press({ key: "¥", code: "KeyY", altKey: true }))).toBe("y");
    expect(altLetter(press({ key: "Dead", code: "KeyN", altKey: true }))).toBe("n");
  });

  it("trusts the typed letter on layouts that move it", () => {
    expect(altLetter(press({ key: "y", code: "KeyZ", altKey: true }))).toBe("y");
    expect(altLetter(press({ key: "z", code: "KeyY", altKey: true }))).toBe("z");
  });
});
