/** What scrolls sideways on its own: a named region that a keyboard can reach. */
import type { ReactNode } from "react";

export function ScrollRegion({ label, className, children }: { label: string; className?: string; children: ReactNode }) {
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- scrolling without a pointer needs the focus
    <section aria-label={label} tabIndex={0} className={className === undefined ? "scroll-region" : `scroll-region ${className}`}>
      {children}
    </section>
  );
}
