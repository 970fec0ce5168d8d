/**
 * The runners of this computer: started, found again, ended. One per session at most (SPEC MA1); orders for one session are
 * carried out one after the other. Owns the processes and their records; knows nothing of sockets.
 */
import type { ErrorCode } from "@ai-dev-platform/protocol/errors";
import type { RunnerOrder } from "@ai-dev-platform/protocol/machine";
import type { Log } from "../output.ts";
import { recordedGroups } from "../runner/process-group.ts";
import { removeTree } from "../runner/workspace/remove-tree.ts";
import { appendAudit, type AuditFields } from "./audit.ts";
import { judgeStart, mayKill, type Running } from "./decisions.ts";
import { ADOPTED_POLL_MS, AUDIT_REPEAT_MS, START_RATE } from "./limits.ts";
import { closeAccount, killUser, openAccount, uidOf } from "./isolation.ts";
import { judgeRate, NEVER, type Rate } from "./rate.ts";
import { isStopped } from "./stop-switch.ts";
import { killFamily } from "./process-table.ts";
import { isAlive, isReplaced, livingRecords, removeRecord, stateDirOf, writeRecord, type RunnerRecord } from "./runner-record.ts";
import { lastWords, startRunner, type Exit, type RunnerCommand } from "./runner-process.ts";

export interface RunnerExit extends Running, Exit {
  lastWords: string;
}

export type Outcome = { ok: true } | { ok: false; code: ErrorCode; detail: string };

export interface RunnersOptions extends RunnerCommand {
  dataDir: string;
  capacity: number;
  startRate?: Rate;
  /** A system user for each session. */
  isIsolated?: boolean;
  onExit(exit: RunnerExit): void;
  log: Log;
}

export class Runners {
  readonly #options: RunnersOptions;
  readonly #records = new Map<string, RunnerRecord>();
  /** The newest order per session: the next one waits for it. */
  readonly #tails = new Map<string, Promise<unknown>>();
  #adoptedTimer: NodeJS.Timeout | undefined;
  #starts = NEVER;
  /** When a refusal was last audited: a server that repeats itself does not fill the log. */
  readonly #refusedAt = new Map<string, number>();

  constructor(options: RunnersOptions) {
    this.#options = options;
  }

  /** Takes over runners that an earlier machine process left running (SPEC MA3). */
  async adopt(): Promise<void> {
    for (const record of await livingRecords(this.#options.dataDir)) {
      this.#records.set(record.sessionId, record);
      this.#options.log("info", "runner_adopted", { sessionId: record.sessionId, incarnation: record.incarnation, pid: record.pid });
    }
    if (this.#records.size > 0) this.#watchAdopted(new Set(this.#records.values()));
  }

  running(): Running[] {
    return [...this.#records.values()].map(({ sessionId, incarnation }) => ({ sessionId, incarnation }));
  }

  start(order: RunnerOrder): Promise<Outcome> {
    return this.#inTurn(order.sessionId, () => this.#start(order));
  }

  /** Resolves when the runner and all its children are gone (SPEC MA2). */
  kill(sessionId: string, incarnation: number): Promise<Outcome> {
    return this.#inTurn(sessionId, async () => {
      const record = this.#records.get(sessionId);
      if (record === undefined || !mayKill(record, incarnation)) return { ok: true };
      return this.#end(record);
    });
  }

  /** The session is deleted: its runner ends and its files go. */
  forget(sessionId: string): Promise<Outcome> {
    return this.#inTurn(sessionId, async () => {
      const record = this.#records.get(sessionId);
      const ended = record === undefined ? { ok: true as const } : await this.#end(record);
      if (!ended.ok) return ended;
      await removeTree(stateDirOf(this.#options.dataDir, sessionId));
      closeAccount(this.#options.dataDir, sessionId);
      this.#auditEnd("session_forgotten", { sessionId });
      return { ok: true };
    });
  }

  async endAll(): Promise<void> {
    await Promise.all(this.running().map(({ sessionId, incarnation }) => this.kill(sessionId, incarnation)));
  }

  /** Stops watching; the runners go on. */
  release(): void {
    clearInterval(this.#adoptedTimer);
  }

  async #start(order: RunnerOrder): Promise<Outcome> {
    const decision = judgeStart(this.running(), order, this.#options.capacity);
    if (decision.kind === "running") return { ok: true };
    if (decision.kind === "refuse") return this.#refuse(order, decision.code, "");
    if (isStopped(this.#options.dataDir)) return this.#refuse(order, "machine_stopped", "");
    const rate = this.#options.startRate ?? START_RATE;
    const verdict = judgeRate(this.#starts, rate, Date.now());
    if (!verdict.ok) return this.#refuse(order, "machine_limited", limitText(rate, verdict.retryAfterMs));
    this.#starts = verdict.happened;
    const older = this.#records.get(order.sessionId);
    if (older !== undefined) {
      const ended = await this.#end(older);
      if (!ended.ok) return ended;
    }
    const stateDir = stateDirOf(this.#options.dataDir, order.sessionId);
    const { sessionId, incarnation, source } = order;
    // First the log: what cannot be written there is not done.
    this.#audit("runner_starting", { sessionId, incarnation, source: source.kind, folder: source.kind === "path" ? source.path : null });
    const account = this.#options.isIsolated === true ? openAccount(this.#options.dataDir, sessionId, stateDir) : null;
    // No longer isolated: its end is by family again.
    if (account === null) closeAccount(this.#options.dataDir, sessionId);
    const started = await startRunner(order, stateDir, this.#options, account);
    if (!started.ok) return this.#refuse(order, "runner_start_failed", started.detail);
    const record: RunnerRecord = { sessionId, incarnation, pid: started.pid, startedAt: started.startedAt };
    this.#records.set(sessionId, record);
    await writeRecord(this.#options.dataDir, record);
    void started.exited.then((exit) => this.#ended(record, exit));
    this.#options.log("info", "runner_started", { sessionId, incarnation, pid: started.pid });
    // The switch was thrown between the look and the start.
    if (!isStopped(this.#options.dataDir)) return { ok: true };
    const ended = await this.#end(record);
    return ended.ok ? this.#refuse(order, "machine_stopped", "") : ended;
  }

  #refuse({ sessionId, incarnation }: RunnerOrder, code: ErrorCode, detail: string): Outcome {
    const now = Date.now();
    const what = `${sessionId} ${code}`;
    const isRepeated = now - (this.#refusedAt.get(what) ?? 0) < AUDIT_REPEAT_MS;
    if (!isRepeated) {
      this.#refusedAt.set(what, now);
      this.#audit("runner_refused", { sessionId, incarnation, code });
    }
    return { ok: false, code, detail };
  }

  #audit(kind: string, fields: AuditFields): void {
    appendAudit(this.#options.dataDir, { kind, fields });
  }

  /** Ending goes on also where it cannot be written down. */
  #auditEnd(kind: string, fields: AuditFields): void {
    try {
      this.#audit(kind, fields);
    } catch (error) {
      this.#options.log("error", "audit_failed", { detail: error instanceof Error ? error.message : String(error) });
    }
  }

  async #end(record: RunnerRecord): Promise<Outcome> {
    const isGone = await this.#killAll(record);
    if (!isGone) return { ok: false, code: "internal", detail: "the runner's processes could not be ended" };
    this.#report(record, { exitCode: null, signal: "SIGKILL" });
    await removeRecord(this.#options.dataDir, record.sessionId);
    return { ok: true };
  }

  /** The runner with its group, and each of its agents with its own: also when the runner itself is gone and left them behind. */
  #killAll(record: RunnerRecord): Promise<boolean> {
    const uid = uidOf(this.#options.dataDir, record.sessionId);
    if (uid !== null) return killUser(uid);
    const agents = recordedGroups(stateDirOf(this.#options.dataDir, record.sessionId));
    return killFamily(isReplaced(record) ? agents : [record.pid, ...agents]);
  }

  /** It ended by itself. What it started must not go on, and spend, without it. */
  #ended(record: RunnerRecord, exit: Exit): void {
    if (this.#records.get(record.sessionId) !== record) return;
    void this.#inTurn(record.sessionId, async () => {
      if (this.#records.get(record.sessionId) !== record) return { ok: true };
      await this.#killAll(record);
      this.#report(record, exit);
      await removeRecord(this.#options.dataDir, record.sessionId);
      return { ok: true };
    });
  }

  #report(record: RunnerRecord, exit: Exit): void {
    const { sessionId, incarnation } = record;
    this.#records.delete(sessionId);
    this.#auditEnd("runner_ended", { sessionId, incarnation, exitCode: exit.exitCode, signal: exit.signal });
    const words = lastWords(stateDirOf(this.#options.dataDir, sessionId));
    this.#options.log("info", "runner_exited", { sessionId, incarnation, exitCode: exit.exitCode, signal: exit.signal });
    this.#options.onExit({ sessionId, incarnation, ...exit, lastWords: words });
  }

  #watchAdopted(adopted: Set<RunnerRecord>): void {
    this.#adoptedTimer = setInterval(() => {
      for (const record of adopted) {
        if (isAlive(record)) continue;
        adopted.delete(record);
        this.#ended(record, { exitCode: null, signal: null });
      }
      if (adopted.size === 0) clearInterval(this.#adoptedTimer);
    }, ADOPTED_POLL_MS);
  }

  #inTurn(sessionId: string, work: () => Promise<Outcome>): Promise<Outcome> {
    const before = this.#tails.get(sessionId) ?? Promise.resolve();
    const mine = before.then(work).catch((error: unknown): Outcome => {
      const detail = error instanceof Error ? error.message : String(error);
      this.#options.log("error", "order_failed", { sessionId, detail });
      return { ok: false, code: "internal", detail };
    });
    this.#tails.set(sessionId, mine);
    void mine.then(() => {
      if (this.#tails.get(sessionId) === mine) this.#tails.delete(sessionId);
    });
    return mine;
  }
}

const limitText = ({ limit, windowMs }: Rate, retryAfterMs: number): string =>
  `At most ${limit} starts in ${Math.round(windowMs / 60_000)} min; the next in ${Math.ceil(retryAfterMs / 1_000)} s.`;
