/**
 * What a key does in the prompt field. Pure.
 * Input methods: a press while composing, or the Enter that ends a composition, belongs to the input method. Safari
 * reports that Enter after `compositionend`, so the moment of the end is looked at, not `keyCode 229`, which would
 * also swallow the next real Enter.
 */

/** Safari sends the ending Enter within this time after `compositionend`. */
const COMPOSITION_TAIL_MS = 40;

export interface FieldKey {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  shiftKey: boolean;
  altKey: boolean;
  isComposing: boolean;
}

export interface FieldContext {
  isEmpty: boolean;
  isListOpen: boolean;
  /** Bare Enter sends; else it makes a new line and only ⌘↵ or Ctrl+↵ sends. */
  enterSends: boolean;
  compositionEndedAt: number | null;
  now: number;
}

export type FieldAction = "send" | "queue" | "list_next" | "list_previous" | "list_choose" | "list_close" | "recall" | "leave" | "none";

export function fieldAction(press: FieldKey, context: FieldContext): FieldAction {
  if (press.isComposing) return "none";
  if (context.compositionEndedAt !== null && context.now - context.compositionEndedAt < COMPOSITION_TAIL_MS) return "none";
  if (context.isListOpen) {
    const inList = listAction(press);
    if (inList !== "none") return inList;
  }
  if (press.key === "Enter") return enterAction(press, context);
  if (press.key === "ArrowUp" && context.isEmpty && !press.shiftKey && !press.altKey) return "recall";
  if (press.key === "Escape") return "leave";
  return "none";
}

function listAction(press: FieldKey): FieldAction {
  const isBare = !press.ctrlKey && !press.metaKey && !press.altKey && !press.shiftKey;
  if (!isBare) return "none";
  switch (press.key) {
    case "ArrowDown":
      return "list_next";
    case "ArrowUp":
      return "list_previous";
    case "Enter":
    case "Tab":
      return "list_choose";
    case "Escape":
      return "list_close";
    default:
      return "none";
  }
}

function enterAction(press: FieldKey, context: FieldContext): FieldAction {
  if (press.shiftKey) return "none";
  if (press.altKey) return "queue";
  if (press.metaKey || press.ctrlKey) return "send";
  return context.enterSends ? "send" : "none";
}
