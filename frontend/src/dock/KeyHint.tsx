/** A button's key for assistive technology, which does not see the hint. */
export const keyShortcut = (letter: "Y" | "A" | "N"): { "aria-keyshortcuts": string } => ({ "aria-keyshortcuts": `Alt+${letter}` });

/** A key beside a button's words. Hidden where there is no keyboard; not part of the button's name. */
export function KeyHint({ keys }: { keys: string }) {
  return (
    <kbd aria-hidden className="font-sans text-meta font-normal pointer-coarse:hidden">
      {keys}
    </kbd>
  );
}
