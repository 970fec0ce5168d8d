import type { SessionState } from "@ai-dev-platform/protocol/state";
import { CircleCheck, CircleDashed, TriangleAlert } from "lucide-react";
import { lazy, Suspense } from "react";
import { classes } from "../ui/classes.ts";
import { Popover } from "../ui/popover.tsx";
import { t } from "./messages.ts";

const SaveDetails = lazy(() => import("./SaveDetails.tsx"));

/** What is safe, up to where, and what was left out. The truth about saving is always in sight. */
export function SaveIndicator({ state }: { state: SessionState }) {
  const { saved, saveProblem } = state;
  const label = saveProblem !== null ? t.saved.problem : saved === null ? t.saved.none : t.saved.label(saved.throughSeq);
  const Icon = saveProblem !== null ? TriangleAlert : saved === null ? CircleDashed : CircleCheck;
  return (
    <Popover
      label={label}
      trigger={
        <button
          type="button"
          className={classes(
            "tabular inline-flex h-7 flex-none items-center gap-1 rounded-control px-1.5 text-label whitespace-nowrap hover:bg-hover pointer-coarse:h-11",
            saveProblem === null ? "text-fg-2" : "text-bad",
          )}
        >
          <Icon aria-hidden className="size-3.5 stroke-[1.75] max-md:size-4" />
          <span className="max-md:sr-only">{label}</span>
        </button>
      }
    >
      <Suspense fallback={<div className="h-16 w-72" />}>
        <SaveDetails state={state} />
      </Suspense>
    </Popover>
  );
}
