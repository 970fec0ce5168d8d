/**
 * The field itself: grows from two to twelve lines, knows input methods, and names its suggestions to screen readers.
 * Owns the caret and the moment a composition ended; what keys mean is decided in send-key.ts.
 */
import { useLayoutEffect, useRef, type KeyboardEvent, type RefObject } from "react";
import { keyPreferences } from "../keyboard/preferences.ts";
import { t } from "./messages.ts";
import { fieldAction, type FieldAction } from "./send-key.ts";
import { optionId } from "./SuggestionList.tsx";

export const PROMPT_FIELD_ID = "prompt";

/** Chromium and Safari grow a field by themselves; elsewhere its height is measured. */
const growsByItself = typeof CSS !== "undefined" && CSS.supports("field-sizing", "content");

function fitHeight(element: HTMLTextAreaElement | null): void {
  if (element === null || growsByItself) return;
  element.style.height = "auto";
  element.style.height = `${element.scrollHeight}px`;
}

export interface PromptFieldProps {
  field: RefObject<HTMLTextAreaElement | null>;
  text: string;
  placeholder: string;
  listId: string;
  listSize: number;
  activeOption: number;
  onChange: (text: string, caret: number) => void;
  onCaret: (caret: number) => void;
  /** Returns whether the key was used up. */
  onAction: (action: Exclude<FieldAction, "none">) => boolean;
}

export function PromptField({ field, text, placeholder, listId, listSize, activeOption, onChange, onCaret, onAction }: PromptFieldProps) {
  const compositionEndedAt = useRef<number | null>(null);

  // After every render: the text may also change from outside (a draft, a recalled prompt).
  useLayoutEffect(() => fitHeight(field.current));

  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    const { key, ctrlKey, metaKey, shiftKey, altKey } = event;
    const action = fieldAction(
      { key, ctrlKey, metaKey, shiftKey, altKey, isComposing: event.nativeEvent.isComposing },
      {
        isEmpty: text === "",
        isListOpen: listSize > 0,
        enterSends: keyPreferences().enterSends,
        compositionEndedAt: compositionEndedAt.current,
        now: performance.now(),
      },
    );
    if (action !== "none" && onAction(action)) event.preventDefault();
  };

  return (
    <textarea
      ref={field}
      id={PROMPT_FIELD_ID}
      aria-label={t.field}
      aria-autocomplete="list"
      {...(listSize > 0 ? { "aria-controls": listId, "aria-activedescendant": optionId(listId, activeOption) } : {})}
      rows={2}
      value={text}
      placeholder={placeholder}
      enterKeyHint="enter"
      autoCapitalize="sentences"
      onChange={(event) => onChange(event.target.value, event.target.selectionStart)}
      onSelect={(event) => onCaret(event.currentTarget.selectionStart)}
      onCompositionEnd={() => {
        compositionEndedAt.current = performance.now();
      }}
      onKeyDown={onKeyDown}
      className="field-sizing-content block max-h-[calc(12lh+12px)] min-h-[calc(2lh+12px)] w-full resize-none overflow-y-auto overscroll-contain bg-transparent px-3.5 pt-3 text-body outline-none pointer-coarse:text-title"
    />
  );
}
