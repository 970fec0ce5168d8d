/** What a person chose about keys, in this browser. Owns two switches; a closed storage means the defaults. */
import { useSyncExternalStore } from "react";

export interface KeyPreferences {
  /** Single letters act outside fields. Can be turned off (WCAG 2.1.4). */
  singleLetters: boolean;
  /** Enter sends a prompt; else ⌘↵ or Ctrl+↵ only. */
  enterSends: boolean;
}

const STORAGE_KEY = "keys";
const listeners = new Set<() => void>();
let current: KeyPreferences | null = null;

/** A phone's Enter makes a new line: its keyboard has no Shift+Enter within reach. */
const defaults = (): KeyPreferences => ({ singleLetters: true, enterSends: !matchMedia("(pointer: coarse)").matches });

function load(): KeyPreferences {
  const fallback = defaults();
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(STORAGE_KEY) ?? "{}");
    if (typeof stored !== "object" || stored === null) return fallback;
    return {
      singleLetters: "singleLetters" in stored && typeof stored.singleLetters === "boolean" ? stored.singleLetters : fallback.singleLetters,
      enterSends: "enterSends" in stored && typeof stored.enterSends === "boolean" ? stored.enterSends : fallback.enterSends,
    };
  } catch {
    return fallback;
  }
}

export function keyPreferences(): KeyPreferences {
  current ??= load();
  return current;
}

export function setKeyPreferences(patch: Partial<KeyPreferences>): void {
  current = { ...keyPreferences(), ...patch };
  try {
    localStorage.setItem(STORAGE_KEY, JSON.stringify(current));
  } catch {
    // Storage is closed: the choice holds until the page is left.
  }
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const useKeyPreferences = (): KeyPreferences => useSyncExternalStore(subscribe, keyPreferences);
