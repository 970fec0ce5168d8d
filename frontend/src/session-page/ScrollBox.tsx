import type { ReactNode } from "react";

/** A part that scrolls by itself: named, and within reach of a keyboard. */
export function ScrollBox({ label, className, children }: { label: string; className: string; children: ReactNode }) {
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex, jsx-a11y/prefer-tag-over-role -- scrolling without a pointer needs the focus
    <div role="group" aria-label={label} tabIndex={0} className={className}>
      {children}
    </div>
  );
}
