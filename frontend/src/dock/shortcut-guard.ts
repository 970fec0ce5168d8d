/**
 * Which key press answers the request in the dock. Pure.
 * Invariants: no answer by a bare key, none in a request's first moments (the press was meant for something else),
 * none while text is composed with an input method, none by auto-repeat.
 */

/** A request ignores its shortcuts for this long: longer than a person needs to notice that the screen changed. */
export const DOCK_GUARD_MS = 600;

export type DockKey = "allow_once" | "allow_session" | "deny";

export interface PressedKey {
  key: string;
  code: string;
  altKey: boolean;
  ctrlKey: boolean;
  metaKey: boolean;
  shiftKey: boolean;
  repeat: boolean;
  isComposing: boolean;
}

const KEYS: Record<string, DockKey> = { y: "allow_once", a: "allow_session", n: "deny" };

/**
 * The letter of an Alt combination. macOS types another character with Option (¥ for Y), so there the physical key
 * decides; elsewhere the typed letter does, which is right on every layout.
 */
export function altLetter(press: PressedKey): string | null {
  if (!press.altKey || press.ctrlKey || press.metaKey || press.shiftKey) return null;
  if (/^[a-z]$/i.test(press.key)) return press.key.toLowerCase();
  const physical = /^Key([A-Z])$/.exec(press.code);
  return physical?.[1]?.toLowerCase() ?? null;
}

export function dockKey(press: PressedKey, shownAt: number, now: number): DockKey | null {
  if (press.repeat || press.isComposing || now - shownAt < DOCK_GUARD_MS) return null;
  const letter = altLetter(press);
  return letter === null ? null : (KEYS[letter] ?? null);
}
