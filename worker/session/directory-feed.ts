/**
 * Keeps the list's cache of this session (D1) near the truth: after the events that change what a list shows, never on
 * the way of one. A failed update is tried again by an alarm; the newest state wins.
 */
import type { LogEntry, SessionEventType } from "@ai-dev-platform/protocol/events";
import type { SessionSummaryState } from "@ai-dev-platform/protocol/http";
import type { SessionState } from "@ai-dev-platform/protocol/state";
import type { Alarms } from "./alarms.ts";
import type { Ledger } from "./ledger.ts";
import type { Places } from "./place.ts";
import type { DirectoryRow, SessionPorts } from "./ports.ts";
import { savedSummary, type SavedSummary } from "./stored-bytes.ts";

const RETRY_MS = 30_000;
const DETAIL_CHARS = 200;

const TELLING = new Set<SessionEventType>([
  "session_created",
  "session_renamed",
  "prompt_queued",
  "turn_started",
  "turn_ended",
  "approval_requested",
  "approval_answered",
  "approval_expired",
  "approval_withdrawn",
  "host_changed",
  "files_changed",
  "budget_reached",
  "time_cap_reached",
  "max_hours_set",
  "lifecycle_set",
  "host_used",
  "host_moved",
  "snapshot_saved",
  "rewound",
  "forked",
  "execution_started",
  "execution_ended",
]);

export interface DirectoryFeedParts {
  ctx: DurableObjectState;
  sql: SqlStorage;
  ports: SessionPorts;
  ledger: Ledger;
  alarms: Alarms;
  places: Places;
}

export class DirectoryFeed {
  readonly #parts: DirectoryFeedParts;
  #isBusy = false;
  #isStale = false;

  constructor(parts: DirectoryFeedParts) {
    this.#parts = parts;
  }

  hear(entries: readonly LogEntry[]): void {
    if (entries.some((entry) => TELLING.has(entry.event.type))) this.update();
  }

  update(): void {
    this.#isStale = true;
    if (!this.#isBusy) this.#parts.ctx.waitUntil(this.#drain());
  }

  /** After a wake: was the directory told of the head? What it was told last is the session's own note. */
  repair(): void {
    const { sql, places } = this.#parts;
    if (places.init() === null) return;
    const head = sql.exec<{ snapshot_id: string }>(`SELECT snapshot_id FROM snapshots ORDER BY seq DESC LIMIT 1`).toArray()[0];
    if (head !== undefined && head.snapshot_id !== this.#toldOf()) this.update();
  }

  async #drain(): Promise<void> {
    const { ports, ledger, alarms, places, sql } = this.#parts;
    this.#isBusy = true;
    try {
      while (this.#isStale) {
        this.#isStale = false;
        const sessionId = places.init()?.sessionId;
        if (sessionId === undefined) return;
        const { host, machineId } = places.now;
        const saved = savedSummary(sql);
        const row = rowOf(ledger.state, { saved, costUsd: this.#spentUsd(), now: ports.clock.now() });
        await ports.directory.update(sessionId, { ...row, host, ...(machineId === null ? {} : { machineId }) });
        this.#noteTold(saved.headSnapshotId);
      }
    } catch (error) {
      ports.log.warn("directory_update_failed", { reason: String(error) });
      if (places.init() !== null) ledger.transact(() => alarms.arm("directory", ports.clock.now() + RETRY_MS));
    } finally {
      this.#isBusy = false;
    }
  }

  #toldOf(): string | null {
    return (
      this.#parts.sql.exec<{ told_snapshot_id: string | null }>(`SELECT told_snapshot_id FROM session`).toArray()[0]?.told_snapshot_id ??
      null
    );
  }

  #noteTold(snapshotId: string | null): void {
    const { places, sql } = this.#parts;
    if (places.init() !== null && this.#toldOf() !== snapshotId) sql.exec(`UPDATE session SET told_snapshot_id = ?`, snapshotId);
  }

  #spentUsd(): number {
    return this.#parts.sql.exec<{ spent_usd: number }>(`SELECT spent_usd FROM session`).toArray()[0]?.spent_usd ?? 0;
  }
}

type Facts = { saved: SavedSummary; costUsd: number; now: number };

function rowOf(state: SessionState, { saved, costUsd, now }: Facts): Omit<DirectoryRow, "host" | "machineId"> {
  const { state: summary, detail } = summaryOf(state);
  const lines = (count: number) => Math.max(0, count);
  return {
    title: state.title,
    state: summary,
    detail: detail.slice(0, DETAIL_CHARS),
    costUsd,
    additions: state.changes.files.reduce((sum, file) => sum + lines(file.additions), 0),
    deletions: state.changes.files.reduce((sum, file) => sum + lines(file.deletions), 0),
    updatedAt: now,
    lifecycle: state.lifecycle,
    hostSeconds: state.hostSeconds,
    hostCostUsd: state.hostCostUsd,
    ...saved,
  };
}

function summaryOf(state: SessionState): { state: SessionSummaryState; detail: string } {
  const asked = state.approvals[0]?.request;
  if (asked !== undefined) {
    const detail =
      asked.kind === "permission" ? asked.subject : asked.kind === "plan" ? "A plan to approve" : (asked.questions[0]?.question ?? "");
    return { state: "needs_you", detail };
  }
  if (state.threads.some(({ turn }) => turn !== null)) return { state: "running", detail: "" };
  if (state.host.state === "failed" || state.host.state === "lost") return { state: "failed", detail: state.host.problem?.message ?? "" };
  if (state.executions.length > 0) return { state: "running", detail: "" };
  if (state.queue.length > 0) return { state: "running", detail: state.host.problem?.message ?? "" };
  const last = newestTurn(state);
  if (last?.outcome === "failed" || last?.outcome === "interrupted") return { state: "failed", detail: last.problem?.message ?? "" };
  return { state: state.host.state === "asleep" ? "asleep" : "idle", detail: "" };
}

const newestTurn = (state: SessionState) =>
  state.threads
    .map(({ lastTurn }) => lastTurn)
    .reduce((newest, turn) => ((turn?.endedAt ?? 0) > (newest?.endedAt ?? 0) ? turn : newest), null);
