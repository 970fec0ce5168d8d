/**
 * Binds the table's shortcuts to handlers while a screen is shown. Two listeners: modifier combinations act anywhere,
 * single letters only outside fields, menus and dialogs, and only while the person keeps them on.
 */
import { useEffect, useRef } from "react";
import { tinykeys, type KeybindingsMap } from "tinykeys";
import { isOwned } from "./input-guard.ts";
import { keyPreferences } from "./preferences.ts";
import { SHORTCUTS, type Shortcut, type ShortcutId } from "./shortcuts.ts";

export type ShortcutHandlers = Partial<Record<ShortcutId, () => void>>;

const targetOf = (event: KeyboardEvent): Element | null => (event.target instanceof Element ? event.target : null);
const isDialogOpen = (): boolean => document.querySelector("[role=dialog][data-state=open], [role=alertdialog]") !== null;

/** A bare key belongs to the focused widget; a held key or an input method is no command. */
const ignoresSingle = (event: KeyboardEvent): boolean =>
  event.isComposing || event.defaultPrevented || !keyPreferences().singleLetters || isOwned(targetOf(event)) || isDialogOpen();
const ignoresCombination = (event: KeyboardEvent): boolean => event.isComposing || event.repeat || event.defaultPrevented;

export function useShortcuts(handlers: ShortcutHandlers): void {
  const latest = useRef(handlers);
  useEffect(() => {
    latest.current = handlers;
  });
  useEffect(() => {
    const run = (shortcut: Shortcut) => (event: KeyboardEvent) => {
      const handler = latest.current[shortcut.id];
      if (handler === undefined) return;
      event.preventDefault();
      handler();
    };
    const bindings = (isSingle: boolean): KeybindingsMap => {
      const map: KeybindingsMap = {};
      for (const shortcut of SHORTCUTS) {
        if ((shortcut.isSingle ?? false) !== isSingle) continue;
        for (const keys of shortcut.keys ?? []) map[keys] = run(shortcut);
      }
      return map;
    };
    const removeSingle = tinykeys(window, bindings(true), { ignore: ignoresSingle });
    const removeCombinations = tinykeys(window, bindings(false), { ignore: ignoresCombination });
    return () => {
      removeSingle();
      removeCombinations();
    };
  }, []);
}
