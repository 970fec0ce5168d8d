import type { SessionState, ThreadState } from "@ai-dev-platform/protocol/state";
import { useMeter } from "../session/use-session.ts";
import { formatCompact, formatCount, formatPercent, formatUsd } from "../ui/format.ts";
import { Popover } from "../ui/popover.tsx";
import { t } from "./messages.ts";

function Line({ name, value }: { name: string; value: string }) {
  return (
    <div className="flex min-h-6 items-baseline justify-between gap-6">
      <dt className="text-fg-2">{name}</dt>
      <dd className="tabular">{value}</dd>
    </div>
  );
}

/** Context used and dollars spent; the parts of it on a click. */
export function Meter({ state, thread }: { state: SessionState; thread: ThreadState }) {
  const live = useMeter();
  const { usage, budgetUsd, hostKind, hostSeconds, hostCostUsd, maxHours } = state;
  const { context } = thread;
  const isSandbox = hostKind === "sandbox";
  const costUsd = Math.max(usage.costUsd, live?.costUsd ?? 0);
  const share = context === null || context.maxTokens === 0 ? null : context.usedTokens / context.maxTokens;
  const isNearBudget = budgetUsd > 0 && costUsd / budgetUsd > 0.9;
  return (
    <Popover
      label={t.meter.open}
      trigger={
        <button
          type="button"
          className="tabular inline-flex h-7 items-center gap-1 rounded-control px-2 text-label whitespace-nowrap text-fg-3 hover:bg-hover hover:text-fg pointer-coarse:h-11 pointer-coarse:text-ui"
        >
          <span className="sr-only">{t.meter.open}: </span>
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
      <dl className="w-64 text-ui">
        <Line
          name={t.meter.context}
          value={
            context === null
              ? t.meter.contextUnknown
              : t.meter.contextOf(formatCompact(context.usedTokens), formatCompact(context.maxTokens))
          }
        />
        <Line name={t.meter.input} value={t.meter.tokens(formatCount(usage.inputTokens))} />
        <Line name={t.meter.output} value={t.meter.tokens(formatCount(usage.outputTokens))} />
        <Line name={t.meter.cacheRead} value={t.meter.tokens(formatCount(usage.cacheReadTokens))} />
        <Line name={t.meter.cacheWrite} value={t.meter.tokens(formatCount(usage.cacheWriteTokens))} />
        <div className="my-1.5 border-t border-line" />
        {thread.turn !== null && <Line name={t.meter.thisTurn} value={formatUsd(live?.turnCostUsd ?? 0)} />}
        <Line name={isSandbox ? t.meter.model : t.meter.session} value={formatUsd(costUsd)} />
        <Line name={t.meter.budget} value={formatUsd(budgetUsd)} />
        {isSandbox && (
          <>
            <div className="my-1.5 border-t border-line" />
            <Line name={t.meter.hours} value={t.meter.hoursOf(hostSeconds / 3_600, maxHours)} />
            <Line name={t.meter.sandbox} value={formatUsd(hostCostUsd)} />
            <Line name={t.meter.all} value={formatUsd(costUsd + hostCostUsd)} />
          </>
        )}
      </dl>
      <p className="mt-1.5 text-label text-fg-3">{isSandbox ? `${t.meter.note} ${t.meter.sandboxNote}` : t.meter.note}</p>
    </Popover>
  );
}
