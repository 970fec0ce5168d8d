/**
 * Binds the table's shortcuts to handlers while a screen is shown: modifier combinations act anywhere, single letters
 * only outside fields, menus and dialogs, and only while the person keeps them on. Handlers may come and go.
 */
import { useEffect, useRef } from "react";
import { tinykeys } from "tinykeys";
import { isOwned } from "./input-guard.ts";
import { keyPreferences } from "./preferences.ts";
import { afterPress, isSecondOfSequence, noPresses, SEQUENCE_TIMEOUT_MS, sequencesOf, type Presses } from "./sequence.ts";
import { SHORTCUTS, type Shortcut, type ShortcutId } from "./shortcuts.ts";

export type ShortcutHandlers = Partial<Record<ShortcutId, () => void>>;

const SEQUENCES = sequencesOf(SHORTCUTS.flatMap((shortcut) => shortcut.keys ?? []));

const targetOf = (event: KeyboardEvent): Element | null => (event.target instanceof Element ? event.target : null);
const isDialogOpen = (): boolean => document.querySelector("[role=dialog][data-state=open], [role=alertdialog]") !== null;

/** A bare key belongs to the focused widget; a held key or an input method is no command. */
const ignoresSingle = (event: KeyboardEvent): boolean =>
  event.isComposing || !keyPreferences().singleLetters || isOwned(targetOf(event)) || isDialogOpen();
const ignoresCombination = (event: KeyboardEvent): boolean => event.isComposing || event.repeat || event.defaultPrevented;

/** The presses that all screens together have seen; noted before any of them acts. */
let presses: Presses = noPresses;
let watchers = 0;
const note = (event: KeyboardEvent) => {
  presses = afterPress(presses, { key: event.key, at: event.timeStamp });
};

function watchPresses(): () => void {
  if (watchers === 0) window.addEventListener("keydown", note, { capture: true });
  watchers += 1;
  return () => {
    watchers -= 1;
    if (watchers === 0) window.removeEventListener("keydown", note, { capture: true });
  };
}

export function useShortcuts(handlers: ShortcutHandlers): void {
  const latest = useRef(handlers);
  useEffect(() => {
    latest.current = handlers;
  });
  useEffect(() => {
    const run = (shortcut: Shortcut, keys: string) => (event: KeyboardEvent) => {
      const handler = latest.current[shortcut.id];
      // A press that another binding took still ends every other sequence, so it is refused here and not ignored.
      if (handler === undefined || event.defaultPrevented) return;
      if (!keys.includes(" ") && isSecondOfSequence(presses, SEQUENCES)) return;
      event.preventDefault();
      handler();
    };
    // Each binding listens for itself: within one listener the library lets the first that fits end the look at the others.
    const removals = SHORTCUTS.flatMap((shortcut) =>
      (shortcut.keys ?? []).map((keys) =>
        tinykeys(
          window,
          { [keys]: run(shortcut, keys) },
          { ignore: shortcut.isSingle === true ? ignoresSingle : ignoresCombination, timeout: SEQUENCE_TIMEOUT_MS },
        ),
      ),
    );
    const unwatch = watchPresses();
    return () => {
      for (const remove of removals) remove();
      unwatch();
    };
  }, []);
}
