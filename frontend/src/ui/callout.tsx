import type { ReactNode } from "react";
import { classes } from "./classes.ts";

const LOOKS = {
  bad: "bg-bad-soft border-transparent text-fg",
  warn: "bg-warn-soft border-warn-line text-fg",
  plain: "bg-sunken border-line text-fg-2",
} as const;

/** A line that must not be missed. `role="alert"` only where it appears in answer to an action. */
export function Callout({ tone, children, alert = false }: { tone: keyof typeof LOOKS; children: ReactNode; alert?: boolean }) {
  return (
    <div role={alert ? "alert" : undefined} className={classes("rounded-card border px-3 py-2", LOOKS[tone])}>
      {children}
    </div>
  );
}
