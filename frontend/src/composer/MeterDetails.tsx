/** The parts of context and cost. Loaded when the meter is first opened. */
import type { SessionState, ThreadState } from "@ai-dev-platform/protocol/state";
import { formatCompact, formatCount, formatUsd } from "../ui/format.ts";
import { t } from "./meter-messages.ts";

function Line({ name, value }: { name: string; value: string }) {
  return (
    <div className="flex min-h-6 items-baseline justify-between gap-6">
      <dt className="text-fg-2">{name}</dt>
      <dd className="tabular">{value}</dd>
    </div>
  );
}

export interface MeterDetailsProps {
  state: SessionState;
  thread: ThreadState;
  costUsd: number;
  turnCostUsd: number;
}

export default function MeterDetails({ state, thread, costUsd, turnCostUsd }: MeterDetailsProps) {
  const { usage, budgetUsd, hostKind, hostSeconds, hostCostUsd, maxHours } = state;
  const { context } = thread;
  const isSandbox = hostKind === "sandbox";
  return (
    <div className="w-64">
      <dl className="text-ui">
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
        {thread.turn !== null && <Line name={t.meter.thisTurn} value={formatUsd(turnCostUsd)} />}
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
    </div>
  );
}
