/**
 * Two-key sequences ("G C") against single keys ("C"): the second key of a sequence is no command of its own, on whichever
 * screen either is bound. Pure; the one watcher stands in use-shortcuts.ts.
 */

/** How long a sequence waits for its second key; the same for all. */
export const SEQUENCE_TIMEOUT_MS = 1_000;

const MODIFIERS: ReadonlySet<string> = new Set(["Shift", "Control", "Alt", "AltGraph", "Meta", "CapsLock"]);

export interface Press {
  key: string;
  at: number;
}

export interface Presses {
  last: Press | null;
  previous: Press | null;
}

export const noPresses: Presses = { last: null, previous: null };

export const afterPress = (presses: Presses, press: Press): Presses =>
  MODIFIERS.has(press.key) ? presses : { last: press, previous: presses.last };

/** The table's bindings of two keys. */
export const sequencesOf = (bindings: readonly string[]): ReadonlySet<string> => new Set(bindings.filter((keys) => keys.includes(" ")));

/** Whether the last two presses are one of the sequences. */
export function isSecondOfSequence({ last, previous }: Presses, sequences: ReadonlySet<string>): boolean {
  if (last === null || previous === null || last.at - previous.at >= SEQUENCE_TIMEOUT_MS) return false;
  return sequences.has(`${previous.key} ${last.key}`);
}
