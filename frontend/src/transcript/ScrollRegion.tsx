/** What scrolls sideways on its own: a named group that a keyboard can reach. Not a landmark: a transcript has hundreds. */
import type { ReactNode } from "react";

export function ScrollRegion({ label, className, children }: { label: string; className?: string; children: ReactNode }) {
  const look = className === undefined ? "scroll-region" : `scroll-region ${className}`;
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex, jsx-a11y/prefer-tag-over-role -- scrolling without a pointer needs the focus
    <div role="group" aria-label={label} tabIndex={0} className={look}>
      {children}
    </div>
  );
}
