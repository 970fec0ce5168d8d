/**
 * One session's use cases: what the rest of the Worker, the sockets and the alarm may ask of it. Owns the order of
 * things across parts; each rule lives in its part. A deleted session answers `session_deleted` for ever.
 */
import { CLOSE } from "@ai-dev-platform/protocol/close-codes";
import { MAIN_THREAD } from "@ai-dev-platform/protocol/ids";
import type { SessionState } from "@ai-dev-platform/protocol/state";
import type { ErrorCode } from "@ai-dev-platform/protocol/errors";
import type { SessionEvent } from "@ai-dev-platform/protocol/events";
import type { ApprovalAnswer } from "@ai-dev-platform/protocol/approvals";
import type { Author } from "@ai-dev-platform/protocol/events";
import { answerForProgram, endProgram, markSpending, promptProgress, stopPrompt, submitApiPrompt } from "./api-prompts.ts";
import { executionResult, startExecution, stopExecution } from "./executions.ts";
import { tokenOfGrant } from "./api.ts";
import type {
  ApiExecution,
  ApiPrompt,
  EgressCall,
  EgressVerdict,
  GitAccess,
  ModelCallOutcome,
  ModelCallRequest,
  ModelCallVerdict,
  PartUpload,
  RpcOutcome,
  SessionApi,
  SessionInit,
  Talk,
  TicketRequest,
  TransferCall,
  VouchedModelCallRequest,
} from "./api.ts";
import { passDeadlines } from "./deadlines.ts";
import { checkHost } from "./check-host.ts";
import { enterDirect, talkElsewhere } from "./direct-talk.ts";
import { changesBefore } from "./event-log.ts";
import { gitAccess } from "./egress.ts";
import { INITIAL_FLOW, problemOf } from "./flow.ts";
import { addTicket, revokeGrant } from "./grants.ts";
import { authorizeModelCall, authorizeSandboxModelCall, settleModelCall } from "./model-calls.ts";
import { DEATH_TASKS, keepGrave, readGrave, settleGrave, type Grave } from "./grave.ts";
import { beginFork, handOut } from "./forks.ts";
import { isSaved } from "./lifecycles.ts";
import { ownerOf, wireParts, type PortsFor, type SessionParts } from "./parts.ts";
import { submitPrompt } from "./prompts.ts";
import { closeQuietly } from "./runner-link.ts";
import { RunnerFrames } from "./runner-frames.ts";
import { acceptSocket } from "./sockets.ts";
import { hashToken, newToken, TICKET_PREFIX, transferTokenOf, vouchedTokenOf } from "./tokens.ts";
import { ViewerFrames } from "./viewer-frames.ts";

/** After this long without a turn, a runner gives way to a session that waits for room. */
const YIELD_AFTER_MS = 60_000;
/** The directory was not reachable. */
const DISPOSE_RETRY_MS = 60_000;

type RunnerExit = Parameters<SessionApi["runnerExited"]>[0];

export class Session implements SessionApi {
  readonly #ctx: DurableObjectState;
  readonly #portsFor: PortsFor;
  #parts: SessionParts;
  #viewerFrames: ViewerFrames;
  #runnerFrames: RunnerFrames;
  #isReconciled = false;

  constructor(ctx: DurableObjectState, portsFor: PortsFor) {
    this.#ctx = ctx;
    this.#portsFor = portsFor;
    this.#parts = wireParts(ctx, portsFor);
    this.#viewerFrames = new ViewerFrames(this.#parts);
    this.#runnerFrames = new RunnerFrames(this.#parts);
  }

  async create(init: SessionInit): Promise<RpcOutcome> {
    if (this.#isDeleted()) return { ok: false, code: "session_deleted" };
    const { sql, ledger, alarms } = this.#parts;
    const known = sql.exec<{ init: string }>(`SELECT init FROM session`).toArray()[0];
    if (known !== undefined) return known.init === JSON.stringify(init) ? { ok: true } : { ok: false, code: "conflict" };
    ledger.transact(() => {
      sql.exec(`INSERT INTO session (one, init, flow) VALUES (1, ?, ?)`, JSON.stringify(init), JSON.stringify(INITIAL_FLOW));
      ledger.append({ event: createdEvent(init) });
      if (init.host === "direct") enterDirect(sql, 0, null);
      if (init.disposeAt !== undefined) alarms.arm("dispose", init.disposeAt);
      if (init.fork !== undefined) beginFork(this.#parts, init.fork);
      if (init.prompt !== null) submitPrompt(this.#parts, { ...init.prompt, thread: MAIN_THREAD, delivery: "queue" }, ownerOf(init));
      if (init.prompt !== null && init.apiTokenId !== undefined) markSpending(sql, init.prompt.promptId, init.apiTokenId);
    });
    return { ok: true };
  }

  async savedState(snapshotId: string | null): ReturnType<SessionApi["savedState"]> {
    const code = this.#ended();
    return code === null ? handOut(this.#parts, snapshotId) : { ok: false, code };
  }

  async state(): Promise<SessionState | null> {
    return this.#ended() === null ? this.#parts.ledger.state : null;
  }

  async mintTicket(request: TicketRequest): Promise<{ ok: true; ticket: string } | { ok: false; code: ErrorCode }> {
    const code = this.#ended();
    if (code !== null) return { ok: false, code };
    const { ports, ledger, sql } = this.#parts;
    const ticket = newToken(TICKET_PREFIX, ports.random);
    const ticketHash = await hashToken(ticket);
    const isGood = ledger.transact(() => addTicket(sql, ticketHash, request, ports.clock.now()));
    return isGood ? { ok: true, ticket } : { ok: false, code: "share_ended" };
  }

  async revokeGrant(grantId: string): Promise<void> {
    if (this.#ended() !== null) return;
    const { ledger, sql, ports, viewers } = this.#parts;
    const init = this.#parts.init();
    const tokenId = tokenOfGrant(grantId);
    ledger.transact(() => {
      revokeGrant(sql, grantId, ports.clock.now());
      if (tokenId !== null && init !== null) endProgram(this.#parts, tokenId, ownerOf(init));
    });
    viewers.closeGrant(grantId);
  }

  async rename(title: string): Promise<RpcOutcome> {
    const code = this.#ended();
    if (code !== null) return { ok: false, code };
    this.#parts.ledger.append({ event: { type: "session_renamed", title } });
    return { ok: true };
  }

  async recentTalk(thread: string, afterSeq: number): Promise<Talk | null> {
    const { sql, ledger } = this.#parts;
    return this.#ended() === null ? talkElsewhere(sql, thread, afterSeq, ledger.state.seq) : null;
  }

  async authorizeModelCall(request: ModelCallRequest): Promise<ModelCallVerdict> {
    const code = this.#ended();
    if (code !== null) return { ok: false, code: "model_token_refused" };
    return authorizeModelCall(this.#parts, request);
  }

  async authorizeSandboxModelCall(request: VouchedModelCallRequest): Promise<ModelCallVerdict> {
    if (this.#ended() !== null) return { ok: false, code: "model_token_refused" };
    return authorizeSandboxModelCall(this.#parts, request);
  }

  async authorizeEgress(call: EgressCall): Promise<EgressVerdict> {
    if (this.#ended() !== null) return { decision: "deny", reason: "session_ended" };
    return this.#parts.egress.authorize(call);
  }

  async gitAccess({ incarnation, url }: { incarnation: number; url: string }): Promise<GitAccess | null> {
    return this.#ended() === null ? gitAccess(this.#parts, incarnation, url) : null;
  }

  async archiveSource(): Promise<{ ownerId: string; importId: string } | null> {
    const init = this.#ended() === null ? this.#parts.init() : null;
    return init?.source.kind === "archive" ? { ownerId: init.ownerId, importId: init.source.importId } : null;
  }

  async authorizeTransfer({ incarnation, transferToken, upload }: TransferCall): Promise<RpcOutcome> {
    const code = this.#ended();
    if (code !== null) return { ok: false, code };
    const linkHash = this.#parts.link.linkHashOf(incarnation);
    if (linkHash === null) return { ok: false, code: "runner_fenced" };
    const wanted = await hashToken(await transferTokenOf(await vouchedTokenOf(linkHash)));
    if ((await hashToken(transferToken)) !== wanted) return { ok: false, code: "not_signed_in" };
    const refused = upload === undefined ? null : await this.#parts.uploads.admit(upload);
    return refused === null ? { ok: true } : { ok: false, code: refused };
  }

  async settleModelCall(outcome: ModelCallOutcome): Promise<void> {
    if (this.#ended() === null) settleModelCall(this.#parts, outcome);
  }

  async authorizeRunner(
    linkToken: string,
    upload?: PartUpload,
  ): Promise<{ ok: true; incarnation: number } | { ok: false; code: ErrorCode }> {
    const code = this.#ended();
    if (code !== null) return { ok: false, code };
    const verdict = this.#parts.link.judge(await hashToken(linkToken));
    if (verdict.kind !== "current") return { ok: false, code: verdict.kind === "past" ? "runner_fenced" : "not_signed_in" };
    const refused = upload === undefined ? null : await this.#parts.uploads.admit(upload);
    return refused === null ? { ok: true, incarnation: verdict.incarnation } : { ok: false, code: refused };
  }

  async hostAvailable(): Promise<void> {
    if (this.#ended() !== null) return;
    this.#reconcile();
    this.#parts.conductor.feed({ type: "host_available" });
  }

  async runnerExited({ incarnation, exitCode, signal, lastWords }: RunnerExit): Promise<void> {
    if (this.#ended() !== null) return;
    const how = signal === null ? `The runner ended with exit code ${exitCode ?? "unknown"}.` : `The runner was ended by ${signal}.`;
    const problem = problemOf("runner_lost", lastWords === "" ? how : `${how}\n${lastWords}`);
    this.#parts.runnerLog.add(`end ${incarnation}: ${problem.detail ?? ""}`);
    this.#parts.conductor.feed({ type: "ended", incarnation, problem, isKnownFailure: false });
  }

  async yieldRunner(): Promise<boolean> {
    if (this.#ended() !== null) return true;
    this.#reconcile();
    const { conductor, ledger } = this.#parts;
    // A long-running session was promised its runner; somebody who just had an answer may be about to go on.
    if (ledger.state.lifecycle === "long-running" || !conductor.isIdleFor(YIELD_AFTER_MS)) return false;
    conductor.feed({ type: "deadline", name: "runner_idle" });
    return conductor.flow.runner.state === "retiring";
  }

  async archive(archived: boolean): Promise<RpcOutcome> {
    const code = this.#ended();
    if (code !== null) return { ok: false, code };
    const { sql, conductor, ledger } = this.#parts;
    ledger.transact(() => {
      sql.exec(`UPDATE session SET archived = ?`, archived ? 1 : 0);
      // An archived session keeps no runner; one that works now goes when it has been idle.
      if (archived) conductor.feed({ type: "deadline", name: "runner_idle" });
    });
    return { ok: true };
  }

  async submitApiPrompt(prompt: ApiPrompt): ReturnType<SessionApi["submitApiPrompt"]> {
    return this.#living((parts) => submitApiPrompt(parts, prompt));
  }

  async promptProgress(promptId: string): ReturnType<SessionApi["promptProgress"]> {
    return this.#ended() === null ? promptProgress(this.#parts, promptId) : null;
  }

  async changesBefore(seq: number): ReturnType<SessionApi["changesBefore"]> {
    return this.#ended() === null ? changesBefore(this.#parts.sql, seq) : [];
  }

  async stopPrompt(promptId: string, author: Author): Promise<RpcOutcome> {
    return this.#living((parts) => stopPrompt(parts, promptId, author));
  }

  async answerApproval(approvalId: string, answer: ApprovalAnswer, author: Author): Promise<RpcOutcome> {
    return this.#living((parts) => answerForProgram(parts, approvalId, answer, author));
  }

  async startExecution(execution: ApiExecution): ReturnType<SessionApi["startExecution"]> {
    const bodyHash = await hashToken(JSON.stringify(execution.request));
    return this.#living((parts) => startExecution(parts, execution, bodyHash));
  }

  async stopExecution(executionId: string, author: Author): Promise<RpcOutcome> {
    return this.#living((parts) => stopExecution(parts, executionId, author));
  }

  async executionResult(executionId: string): ReturnType<SessionApi["executionResult"]> {
    return this.#ended() === null ? executionResult(this.#parts, executionId) : null;
  }

  async destroy(): Promise<void> {
    const init = this.#parts.init();
    const { ports, places, sql, viewers, link, conductor, notices } = this.#parts;
    sql.exec(`INSERT INTO tombstone (one, deleted_at) VALUES (1, ?) ON CONFLICT DO NOTHING`, ports.clock.now());
    link.fence();
    viewers.closeAll(CLOSE.deleted, "the session was deleted");
    link.closeAll(CLOSE.deleted, "the session was deleted");
    if (init === null) return;
    const { incarnation } = conductor.flow;
    const { storage } = this.#ctx;
    const { sessionId, ownerId } = init;
    const owed = { past: places.past(), ownerId, dues: notices.dues(), todo: DEATH_TASKS };
    const grave: Grave = { sessionId, incarnation, ...places.now, ...owed, attempts: 0 };
    // Kept first: a crash from here on is made good by the alarm.
    await keepGrave(storage, grave, ports.clock.now());
    const todo = DEATH_TASKS.filter((task) => task !== "kill" || incarnation > 0);
    const left = await settleGrave(this.#portsFor, { ...grave, todo });
    await storage.deleteAlarm();
    await storage.deleteAll();
    this.#rewire();
    this.#parts.sql.exec(`INSERT INTO tombstone (one, deleted_at) VALUES (1, ?)`, ports.clock.now());
    await keepGrave(storage, left, ports.clock.now());
  }

  /** The alarm of a deleted session. */
  async #visitGrave(): Promise<void> {
    if (this.#parts.init() !== null) return this.destroy();
    const grave = readGrave(this.#parts.sql);
    if (grave === null) return;
    const { clock } = this.#portsFor({ host: grave.host, machineId: grave.machineId });
    await keepGrave(this.#ctx.storage, await settleGrave(this.#portsFor, grave), clock.now());
  }

  async fetch(request: Request): Promise<Response> {
    if (!this.#isDeleted()) this.#reconcile();
    return acceptSocket(this.#parts, request, this.#isDeleted());
  }

  async message(ws: WebSocket, message: string | ArrayBuffer): Promise<void> {
    if (this.#isDeleted()) return ws.close(CLOSE.deleted, "the session was deleted");
    this.#reconcile();
    const viewer = this.#parts.viewers.mark(ws);
    if (viewer !== null) return this.#viewerFrames.take(ws, viewer, message);
    const link = this.#parts.link.mark(ws);
    if (link !== null) await this.#runnerFrames.take(ws, link, message);
  }

  closed(ws: WebSocket): void {
    // Completes the closing handshake; the other side waits for it.
    closeQuietly(ws, CLOSE.done, "");
    if (this.#ended() !== null) return;
    const link = this.#parts.link.mark(ws);
    if (link !== null) this.#runnerFrames.closed(link);
  }

  async alarm(): Promise<void> {
    if (this.#isDeleted()) return this.#visitGrave();
    if (this.#ended() !== null) return;
    if (isSpent(this.#parts)) return this.#dispose();
    this.#reconcile();
    passDeadlines(this.#parts);
  }

  /** The row goes first: what is in nobody's list is tried again by this alarm until all of it is gone. */
  async #dispose(): Promise<void> {
    const { ports, init, ledger, alarms } = this.#parts;
    try {
      await ports.directory.remove(init()?.sessionId ?? "");
    } catch (error) {
      ports.log.warn("session_not_unlisted", { reason: String(error) });
      return ledger.transact(() => alarms.arm("dispose", ports.clock.now() + DISPOSE_RETRY_MS));
    }
    await this.destroy();
  }

  /** After a wake: a socket that was cut with the old instance may never report its close. */
  #reconcile(): void {
    if (this.#isReconciled) return;
    this.#isReconciled = true;
    this.#parts.directory.repair();
    const { conductor, link } = this.#parts;
    const { runner, incarnation } = conductor.flow;
    const expectsLink = runner.state === "ready" || runner.state === "restoring" || runner.state === "retiring";
    if (expectsLink && link.socket() === null) conductor.feed({ type: "closed", incarnation });
    const isMissing = link.socket() === null && (expectsLink || runner.state === "away" || runner.state === "starting");
    if (isMissing && !conductor.hasLaunched(incarnation)) this.#ctx.waitUntil(checkHost(this.#parts));
  }

  #isDeleted(): boolean {
    return this.#parts.sql.exec(`SELECT 1 AS one FROM tombstone`).toArray().length > 0;
  }

  /** Why nothing can be asked of this session; null when it lives. */
  #ended(): ErrorCode | null {
    if (this.#isDeleted()) return "session_deleted";
    return this.#parts.init() === null ? "not_found" : null;
  }

  #living<T>(work: (parts: SessionParts) => T): T | { ok: false; code: ErrorCode } {
    const code = this.#ended();
    if (code !== null) return { ok: false, code };
    this.#reconcile();
    return work(this.#parts);
  }

  #rewire(): void {
    this.#parts = wireParts(this.#ctx, this.#portsFor);
    this.#viewerFrames = new ViewerFrames(this.#parts);
    this.#runnerFrames = new RunnerFrames(this.#parts);
  }
}

/** It was made for one purpose, its time is over, and nobody has chosen to keep it. */
function isSpent({ alarms, ledger, ports }: SessionParts): boolean {
  const at = alarms.deadline("dispose");
  return at !== null && at <= ports.clock.now() && !isSaved(ledger.state.lifecycle);
}

function createdEvent(init: SessionInit): Extract<SessionEvent, { type: "session_created" }> {
  const { title, projectId, projectName, lifecycle, modelSource, mode, model, budgetUsd, host, size, network, maxHours } = init;
  const { machineId, isOwnMachine } = init;
  const work = { title, projectId, projectName, lifecycle, modelSource, mode, model, budgetUsd };
  const machine = { machineId, ...(isOwnMachine === undefined ? {} : { isOwnMachine }) };
  const place = { ...(host === undefined ? {} : { host }), ...machine, ...(size === undefined ? {} : { size }) };
  const limits = { ...(network === undefined ? {} : { network }), ...(maxHours === undefined ? {} : { maxHours }) };
  return { type: "session_created", ...work, ...place, ...limits };
}
