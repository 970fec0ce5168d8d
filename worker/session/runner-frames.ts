/**
 * What a runner says (SPEC EV4, RN). Everything here is untrusted: a frame counts only from the current incarnation's
 * greeted socket, in the order of `rseq`, and can write runner events alone.
 */
import { CLOSE } from "@ai-dev-platform/protocol/close-codes";
import { decodeFrame } from "@ai-dev-platform/protocol/codec";
import { isErrorCode } from "@ai-dev-platform/protocol/errors";
import { MAIN_THREAD } from "@ai-dev-platform/protocol/ids";
import { MAX_FRAME_BYTES } from "@ai-dev-platform/protocol/limits";
import { runnerFrameSchema, type McpServerConfig, type OutboxItem, type RunnerFrame } from "@ai-dev-platform/protocol/runner";
import { judgeVersion, PROTOCOL_VERSION } from "@ai-dev-platform/protocol/version";
import { handOverExecutions, relayExecutionOutput, takeExecutionReport } from "./executions.ts";
import { giveAnswer } from "./answers.ts";
import { answerByPolicy } from "./api-prompts.ts";
import { problemOf } from "./flow.ts";
import { noteReportedUsage } from "./metering.ts";
import { modelSourceNow } from "./model-source.ts";
import { hearSave, resumeMove } from "./moves.ts";
import type { SessionParts } from "./parts.ts";
import { readLivePiece } from "./live-piece.ts";
import { closeQuietly, FENCED_CLOSE, type LinkMark } from "./runner-link.ts";
import type { ApprovalRequest } from "@ai-dev-platform/protocol/approvals";
import { armSave } from "./host-settings.ts";
import { APPROVAL_SLEEP_MS } from "./lifecycles.ts";
import { beginRun } from "./runner-start.ts";
import { commitSnapshot, savedSnapshots } from "./saves.ts";
import { modeSignature, tellMachineCommands } from "./signed-commands.ts";
import { rememberConversations, threadConfig } from "./threads.ts";

/** Frames that cannot be read, in one incarnation: a runner that goes on so would reconnect and repeat them for ever. */
const MAX_BAD_FRAMES = 3;

type Hello = Extract<RunnerFrame, { type: "hello" }>;

export class RunnerFrames {
  readonly #parts: SessionParts;
  #progress: { step: string; startedAt: number } | null = null;

  constructor(parts: SessionParts) {
    this.#parts = parts;
  }

  async take(ws: WebSocket, mark: LinkMark, message: string | ArrayBuffer): Promise<void> {
    const { link, ports } = this.#parts;
    if (!this.#isCurrent(mark)) return closeQuietly(ws, ...FENCED_CLOSE);
    link.heard(ports.clock.now());
    const piece = mark.phase === "greeted" ? readLivePiece(message, MAX_FRAME_BYTES) : null;
    if (piece !== null) return this.#handle(mark, piece);
    const decoded = decodeFrame(runnerFrameSchema, message, MAX_FRAME_BYTES);
    if (!decoded.ok) return this.#refuseFrame(ws, mark, decoded.detail);
    const { frame } = decoded;
    if (frame.type === "hello") return this.#hello(ws, mark, frame);
    if (mark.phase === "new") return closeQuietly(ws, CLOSE.badFrame, "hello comes first");
    if (frame.type === "commit") return commitSnapshot(this.#parts, ws, mark, frame);
    this.#handle(mark, frame);
  }

  closed(mark: LinkMark): void {
    const { link, conductor, viewers } = this.#parts;
    if (mark.phase !== "greeted" || !this.#isCurrent(mark) || link.socket() !== null) return;
    viewers.refuseQueries();
    conductor.feed({ type: "closed", incarnation: mark.incarnation });
  }

  #isCurrent(mark: LinkMark): boolean {
    const { flow } = this.#parts.conductor;
    const { state } = flow.runner;
    return flow.incarnation === mark.incarnation && state !== "off" && state !== "waiting" && state !== "killing";
  }

  #refuseFrame(ws: WebSocket, mark: LinkMark, detail: string): void {
    const { link, conductor, ports } = this.#parts;
    ports.log.warn("runner_bad_frame", { incarnation: mark.incarnation, detail });
    closeQuietly(ws, CLOSE.badFrame, "the frame could not be read");
    if (link.countBadFrame() < MAX_BAD_FRAMES) return;
    conductor.feed({
      type: "ended",
      incarnation: mark.incarnation,
      problem: problemOf("incompatible_version", detail),
      isKnownFailure: true,
    });
  }

  async #hello(ws: WebSocket, mark: LinkMark, frame: Hello): Promise<void> {
    const { link, conductor, ports } = this.#parts;
    const init = this.#parts.init();
    if (judgeVersion(frame.version) !== "ok") return closeQuietly(ws, CLOSE.incompatible, "update the runner");
    if (init === null || frame.sessionId !== init.sessionId || frame.incarnation !== mark.incarnation)
      return closeQuietly(ws, ...FENCED_CLOSE);
    const mcpServers = await this.#mcpServers(init.ownerId);
    if (!this.#isCurrent(mark) || ws.readyState !== WebSocket.OPEN) return closeQuietly(ws, ...FENCED_CLOSE);
    const { state } = this.#parts.ledger;
    link.setMark(ws, { ...mark, phase: "greeted", helloAt: ports.clock.now() });
    link.closeAll(CLOSE.done, "replaced by a newer connection", ws);
    const { source, trustProject } = init;
    const snapshots = savedSnapshots(this.#parts.sql);
    const conversations = threadConfig(this.#parts.sql, state);
    const mode = { mode: state.mode, ...modeSignature(this.#parts.sql) };
    const modelSource = modelSourceNow(state);
    const config = { source, trustProject, modelSource, ...mode, model: state.model, snapshots, mcpServers, ...conversations };
    link.sendTo(ws, { type: "welcome", version: PROTOCOL_VERSION, ackedRseq: link.ackedRseq, config });
    beginRun(this.#parts, mark.incarnation);
    conductor.feed({ type: "hello", incarnation: mark.incarnation });
  }

  async #mcpServers(ownerId: string): Promise<McpServerConfig[]> {
    try {
      return await this.#parts.ports.settings.mcpServers(ownerId);
    } catch (error) {
      this.#parts.ports.log.error("runner_settings_failed", { reason: String(error) });
      return [];
    }
  }

  #handle(mark: LinkMark, frame: Exclude<RunnerFrame, { type: "hello" | "commit" }>): void {
    const { conductor, live, viewers, ledger } = this.#parts;
    const { incarnation } = mark;
    switch (frame.type) {
      case "ready":
        return this.#heardReady(incarnation, frame);
      case "emit":
        return this.#takeItems(incarnation, frame.items);
      case "live":
        if (conductor.flow.turns.some(({ thread }) => thread === frame.thread)) live.accept(frame);
        return;
      case "execution_output":
        return relayExecutionOutput(this.#parts, incarnation, frame);
      case "progress":
        return this.#showProgress(frame.step, frame.detail);
      case "reply": {
        const query = viewers.takeQuery(frame.requestId);
        if (query !== null) viewers.send(query.ws, { type: "reply", requestId: query.requestId, result: frame.result });
        return;
      }
      case "refused": {
        const query = viewers.takeQuery(frame.requestId);
        if (query !== null) viewers.refuse(query.ws, query.requestId, isErrorCode(frame.code) ? frame.code : "internal", frame.detail);
        return;
      }
      case "save_skipped": {
        const problem = frame.problem ?? problemOf("internal", "The save failed.");
        if (frame.reason === "failed") ledger.append({ event: { type: "snapshot_failed", problem } });
        return this.#heardNoSave(incarnation, frame.reason === "unchanged");
      }
      case "busy":
        this.#parts.sql.exec(`UPDATE session SET busy_tasks = ?`, frame.tasks);
        return;
      case "log":
        return this.#parts.runnerLog.add(frame.lines.join("\n"));
      case "failed":
        this.#parts.runnerLog.add(
          `failed: ${frame.problem.message}${frame.problem.detail === undefined ? "" : `\n${frame.problem.detail}`}`,
        );
        return conductor.feed({ type: "ended", incarnation, problem: frame.problem, isKnownFailure: true });
      case "bye":
        return conductor.feed({ type: "bye", incarnation });
      default:
        frame satisfies never;
    }
  }

  #heardReady(incarnation: number, { openTurnId, openTurnIds, executionIds }: Extract<RunnerFrame, { type: "ready" }>): void {
    const { conductor, ledger } = this.#parts;
    const turnIds = openTurnIds ?? (openTurnId === null ? [] : [openTurnId]);
    // Whom its machine listens to is settled before it is asked for anything.
    if (ledger.state.needsSignature) tellMachineCommands(this.#parts);
    ledger.transact(() => {
      conductor.feed({ type: "ready", incarnation, openTurnIds: turnIds });
      handOverExecutions(this.#parts, executionIds ?? null);
      armSave(this.#parts);
      resumeMove(this.#parts);
    });
  }

  #heardNoSave(incarnation: number, isSafe: boolean): void {
    const { conductor, ledger, sql } = this.#parts;
    ledger.transact(() => {
      if (isSafe) sql.exec(`UPDATE session SET safe_seq = ?`, ledger.state.seq);
      conductor.feed({ type: "saved", incarnation, isSafe });
      hearSave(this.#parts, isSafe);
    });
  }

  #showProgress(step: Extract<RunnerFrame, { type: "progress" }>["step"], detail: string): void {
    const { viewers, ports, runnerLog } = this.#parts;
    runnerLog.add(detail === "" ? step : `${step}: ${detail}`);
    if (this.#progress?.step !== step) this.#progress = { step, startedAt: ports.clock.now() };
    viewers.broadcast({ type: "progress", step, detail, startedAt: this.#progress.startedAt });
  }

  /** Takes what follows on what is in the log; drops repeats; stops at a gap. Acks after the commit (SPEC RN2, RN3). */
  #takeItems(incarnation: number, items: readonly OutboxItem[]): void {
    const { ledger, lease, link } = this.#parts;
    ledger.transact(() => {
      let acked = link.ackedRseq;
      for (const item of items) {
        if (item.rseq <= acked) continue;
        if (item.rseq !== acked + 1) break;
        // A report ends the turn and may fence nothing; but a kill that was decided meanwhile ends the taking.
        if (this.#parts.conductor.flow.incarnation !== incarnation) break;
        this.#takeItem(incarnation, item);
        acked = item.rseq;
      }
      if (acked !== link.ackedRseq) link.setAcked(acked);
      lease.heard(incarnation);
      ledger.afterCommit(() => void link.send({ type: "ack", rseq: acked }));
    });
  }

  #takeItem(incarnation: number, item: OutboxItem): void {
    const { ledger, prompts, conductor, approvals, ports, sql } = this.#parts;
    const { body } = item;
    const source = { incarnation, rseq: item.rseq };
    if (body.type === "turn_report") {
      const { turnId, outcome, problem, agentSessionId, usage } = body;
      const isReporting = usage !== undefined && this.#turnOf(turnId, incarnation) !== null;
      if (isReporting && modelSourceNow(ledger.state) === "login") noteReportedUsage(sql, turnId, usage);
      if (agentSessionId !== null) rememberConversations(sql, ledger.state, { [item.thread]: agentSessionId });
      return conductor.takeReport({ type: "turn_report", incarnation, turnId, outcome, problem: problem ?? null }, item.rseq);
    }
    if (body.type === "prompt_taken") return void prompts.deliver(body.promptId, body.turnId, source);
    if (body.type === "execution_report") return takeExecutionReport(this.#parts, body, source);
    const turnId = this.#turnOf(item.turnId, incarnation);
    if (body.type === "approval_requested" && !approvals.open(body.request, turnId, ports.clock.now())) return;
    if (body.type === "approval_withdrawn" && !approvals.withdraw(body.approvalId)) return;
    this.#closeBlocks(item);
    ledger.append({ event: body, ...(turnId === null ? { thread: this.#knownThread(item.thread) } : {}), turnId, source });
    if (body.type === "approval_requested") this.#asked(body.request, turnId);
  }

  /** What a program's policy or an answer before a sleep decides is answered; for the rest, a sandbox does not wait for ever. */
  #asked(request: ApprovalRequest, turnId: string | null): void {
    const { alarms, approvals, ledger, ports } = this.#parts;
    if (answerByPolicy(this.#parts, request, turnId)) return;
    const known = approvals.takeSlept(request, turnId);
    if (known !== null && giveAnswer(this.#parts, { approvalId: request.approvalId, ...known }).ok) return;
    if (ledger.state.hostKind === "sandbox" && alarms.deadline("approval_sleep") === null) {
      alarms.arm("approval_sleep", ports.clock.now() + APPROVAL_SLEEP_MS);
    }
  }

  #closeBlocks({ thread, body }: OutboxItem): void {
    const { live } = this.#parts;
    if (body.type === "text_written" || body.type === "thinking_written") live.drop(thread, body.block);
    if (body.type === "blocks_dropped") for (const block of body.blocks) live.drop(thread, block);
  }

  /** A runner may name only threads that a person started. */
  #knownThread(thread: string): string {
    return this.#parts.ledger.state.threads.some((known) => known.thread === thread) ? thread : MAIN_THREAD;
  }

  /** A runner may name only turns of its own incarnation. What it says of a turn is logged under the turn's thread. */
  #turnOf(turnId: string | null, incarnation: number): string | null {
    if (turnId === null) return null;
    const rows = this.#parts.sql.exec(`SELECT 1 AS one FROM turns WHERE turn_id = ? AND incarnation = ?`, turnId, incarnation).toArray();
    return rows.length > 0 ? turnId : null;
  }
}
