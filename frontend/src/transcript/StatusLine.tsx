/** One line about the session itself. A problem has its cause in plain words, and the raw text under "Details". */
import type { Problem } from "@ai-dev-platform/protocol/events";
import { CircleAlert, History, Info, RotateCcw, ShieldBan, Square, TriangleAlert, type LucideIcon } from "lucide-react";
import { lazy, Suspense, use } from "react";
import { formatCompact, formatCount, formatDuration, formatUsd } from "../ui/format.ts";
import { t } from "./status-messages.ts";
import { ReadOnlyContext } from "./read-only.ts";
import type { StatusDetail, StatusRow } from "./rows.ts";

interface Told {
  Icon: LucideIcon;
  tone: "quiet" | "warn" | "bad";
  text: string;
  problem?: Problem | null;
  /** Of a refusal that no card of the dock explains. */
  code?: string | undefined;
}

const NextStep = lazy(() => import("../machines/NextStep.tsx"));

function tell(detail: StatusDetail): Told {
  switch (detail.what) {
    case "turn_stopped":
      return { Icon: Square, tone: "quiet", text: t.stopped(formatDuration(detail.durationMs)) };
    case "turn_interrupted":
      return { Icon: TriangleAlert, tone: "warn", text: detail.problem?.message ?? t.interrupted, problem: detail.problem };
    case "turn_failed":
      return { Icon: CircleAlert, tone: "bad", text: detail.problem?.message ?? t.failed, problem: detail.problem };
    case "retrying":
      return {
        Icon: RotateCcw,
        tone: "warn",
        text: t.retrying(detail.attempt, detail.maxAttempts, formatDuration(detail.delayMs), detail.status),
      };
    case "mode":
      return { Icon: Info, tone: "quiet", text: t.mode(detail.mode, detail.byAgent) };
    case "model":
      return { Icon: Info, tone: "quiet", text: t.model(detail.model) };
    case "budget_set":
      return { Icon: Info, tone: "quiet", text: t.budgetSet(formatUsd(detail.budgetUsd)) };
    case "budget_reached":
      return { Icon: TriangleAlert, tone: "warn", text: t.budgetReached(formatUsd(detail.budgetUsd)) };
    case "lifecycle":
      return { Icon: Info, tone: "quiet", text: t.lifecycle(detail.lifecycle) };
    case "network":
      return { Icon: Info, tone: "quiet", text: t.network(detail.level) };
    case "host_blocked":
      return { Icon: ShieldBan, tone: "quiet", text: t.blocked(detail.host) };
    case "host_allowed":
      return { Icon: Info, tone: "quiet", text: t.allowed(detail.host, detail.scope, detail.author.name) };
    case "hours_set":
      return { Icon: Info, tone: "quiet", text: t.hoursSet(detail.maxHours) };
    case "hours_reached":
      return { Icon: TriangleAlert, tone: "warn", text: t.hoursReached(detail.maxHours) };
    case "thread_started":
      return { Icon: Info, tone: "quiet", text: t.threadStarted(detail.author.name, detail.title) };
    case "files_dropped":
      return { Icon: Info, tone: "quiet", text: t.filesDropped };
    case "forked":
      return { Icon: History, tone: "quiet", text: t.forked(detail.title, formatCount(detail.toSeq)) };
    case "rewound":
      return { Icon: History, tone: "quiet", text: t.rewound(detail.author.name, formatCount(detail.toSeq), detail.isFilesOnly) };
    case "moved":
      return { Icon: Info, tone: "quiet", text: t.moved(detail.author.name, detail.to) };
    case "move_failed":
      return { Icon: TriangleAlert, tone: "warn", text: t.moveFailed, problem: detail.problem };
    case "host_lost":
      return {
        Icon: TriangleAlert,
        tone: "warn",
        text: detail.problem?.message ?? t.hostLost(detail.hostName),
        problem: detail.problem,
      };
    case "host_failed":
      return {
        Icon: CircleAlert,
        tone: "bad",
        text: detail.problem?.message ?? t.hostFailed(detail.hostName),
        problem: detail.problem,
      };
    case "host_restored":
      return { Icon: Info, tone: "quiet", text: t.hostRestored(detail.hostName) };
    case "save_failed":
      return { Icon: TriangleAlert, tone: "warn", text: detail.problem.message || t.saveFailed, problem: detail.problem };
    case "compacted":
      return { Icon: Info, tone: "quiet", text: t.compacted(formatCompact(detail.beforeTokens)) };
    case "notice":
      return {
        Icon: detail.level === "warning" ? TriangleAlert : Info,
        tone: detail.level === "warning" ? "warn" : "quiet",
        text: detail.text,
        code: detail.code,
      };
    case "unsupported":
      return { Icon: Info, tone: "quiet", text: t.unsupported(detail.original) };
  }
}

export default function StatusLine({ row }: { row: StatusRow }) {
  const { Icon, tone, text, problem, code } = tell(row.detail);
  const isReadOnly = use(ReadOnlyContext);
  return (
    <div className="status" data-tone={tone}>
      <p className="status-line">
        <Icon className="tool-icon" aria-hidden="true" />
        <span>{text}</span>
      </p>
      {code !== undefined && !isReadOnly && (
        <Suspense fallback={null}>
          <NextStep code={code} />
        </Suspense>
      )}
      {problem?.detail !== undefined && problem.detail !== "" && (
        <details className="status-details">
          <summary>{t.details}</summary>
          <pre>{problem.detail}</pre>
        </details>
      )}
    </div>
  );
}
