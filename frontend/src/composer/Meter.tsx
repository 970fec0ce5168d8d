import type { SessionState, ThreadState } from "@ai-dev-platform/protocol/state";
import { lazy, Suspense } from "react";
import { useMeter } from "../session/use-session.ts";
import { formatPercent, formatUsd } from "../ui/format.ts";
import { Popover } from "../ui/popover.tsx";
import { t } from "./messages.ts";

const MeterDetails = lazy(() => import("./MeterDetails.tsx"));

/** Context used and dollars spent; the parts of it on a click. */
export function Meter({ state, thread }: { state: SessionState; thread: ThreadState }) {
  const live = useMeter();
  const { usage, budgetUsd, hostCostUsd } = state;
  const { context } = thread;
  const costUsd = Math.max(usage.costUsd, live?.costUsd ?? 0);
  const share = context === null || context.maxTokens === 0 ? null : context.usedTokens / context.maxTokens;
  const isNearBudget = budgetUsd > 0 && costUsd / budgetUsd > 0.9;
  return (
    <Popover
      label={t.meter}
      trigger={
        <button
          type="button"
          className="tabular inline-flex h-7 items-center gap-1 rounded-control px-2 text-label whitespace-nowrap text-fg-3 hover:bg-hover hover:text-fg pointer-coarse:h-11 pointer-coarse:text-ui"
        >
          <span className="sr-only">{t.meter}: </span>
          {share !== null && (
            <span className={share > 0.8 ? "text-warn" : undefined}>
              {formatPercent(share)}
              <span className="max-sm:hidden"> context</span> ·
            </span>
          )}
          <span className={isNearBudget ? "text-warn" : undefined}>{formatUsd(costUsd + hostCostUsd)}</span>
        </button>
      }
    >
      <Suspense fallback={<div className="h-40 w-64" />}>
        <MeterDetails state={state} thread={thread} costUsd={costUsd} turnCostUsd={live?.turnCostUsd ?? 0} />
      </Suspense>
    </Popover>
  );
}
