/** Whether a key press belongs to what has the focus, so that single letters leave it alone. */

const FIELDS =
  "input:not([type=checkbox]):not([type=radio]):not([type=button]), textarea, select, [contenteditable=true], [contenteditable='']";
/** Menus, listboxes and dialogs have keys of their own. */
const OWNERS = "[role=menu], [role=dialog], [role=alertdialog], [role=listbox], [role=tree]";

export interface PressTarget {
  matches: (selector: string) => boolean;
  closest: (selector: string) => unknown;
}

export const isTyping = (target: PressTarget | null): boolean => target !== null && target.matches(FIELDS);

export const isOwned = (target: PressTarget | null): boolean => target !== null && (isTyping(target) || target.closest(OWNERS) !== null);

/** A press on a button or link that the element itself acts on. */
export const isActivation = (target: PressTarget | null, key: string): boolean =>
  (key === " " || key === "Enter") && target !== null && target.matches("button, a[href], summary, [role=button], input");
