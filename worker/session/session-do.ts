/**
 * The Durable Object class: an adapter without logic. Wires the session to the platform and to the other folders'
 * implementations of its ports, and hands every event on.
 */
import { DurableObject } from "cloudflare:workers";
import type { ApprovalAnswer } from "@ai-dev-platform/protocol/approvals";
import type { Author } from "@ai-dev-platform/protocol/events";
import { PING, PONG } from "@ai-dev-platform/protocol/limits";
import { d1AllowedHosts } from "../db/allowed-hosts.ts";
import { d1Directory } from "../db/session-directory.ts";
import { egressPolicy } from "../egress/policy.ts";
import { chooseHost, offeredPlaces } from "../hosts/choose-host.ts";
import { noticeBoard } from "../api/notices.ts";
import { d1RunnerSettings } from "../keys/runner-settings.ts";
import { createLogger } from "../log.ts";
import { d1StorageAllowance } from "../snapshots/quota.ts";
import { r2SavedFiles } from "../snapshots/saved-files.ts";
import { r2SnapshotStore } from "../snapshots/store.ts";
import type {
  ApiExecution,
  ApiPrompt,
  EgressCall,
  ModelCallOutcome,
  ModelCallRequest,
  PartUpload,
  SessionApi,
  SessionInit,
  TicketRequest,
  TransferCall,
  VouchedModelCallRequest,
} from "./api.ts";
import type { Place } from "./place.ts";
import type { SessionPorts } from "./ports.ts";
import { Session } from "./session.ts";

/** How a session gets its ports. A value, so that tests, which run in the same isolate, can stand in for the outside. */
export const wiring = {
  portsFor: (env: Env, place: Place): SessionPorts => ({
    clock: { now: () => Date.now() },
    random: { bytes: (count) => crypto.getRandomValues(new Uint8Array(count)) },
    host: chooseHost(env, place),
    snapshots: r2SnapshotStore(env.BUCKET),
    savedFiles: r2SavedFiles(env.BUCKET),
    storage: d1StorageAllowance(env),
    directory: d1Directory(env.DB),
    settings: d1RunnerSettings(env),
    allowedHosts: d1AllowedHosts(env.DB),
    offers: offeredPlaces(env),
    egress: egressPolicy,
    notices: noticeBoard(env),
    log: createLogger("session"),
  }),
};

export class SessionDO extends DurableObject<Env> implements SessionApi {
  readonly #session: Session;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair(PING, PONG));
    this.#session = new Session(ctx, (place) => wiring.portsFor(env, place));
  }

  create(init: SessionInit) {
    return this.#session.create(init);
  }
  state() {
    return this.#session.state();
  }
  mintTicket(request: TicketRequest) {
    return this.#session.mintTicket(request);
  }
  revokeGrant(grantId: string) {
    return this.#session.revokeGrant(grantId);
  }
  savedState(snapshotId: string | null) {
    return this.#session.savedState(snapshotId);
  }
  archiveSource() {
    return this.#session.archiveSource();
  }
  recentTalk(thread: string, afterSeq: number) {
    return this.#session.recentTalk(thread, afterSeq);
  }
  rename(title: string) {
    return this.#session.rename(title);
  }
  authorizeModelCall(request: ModelCallRequest) {
    return this.#session.authorizeModelCall(request);
  }
  authorizeSandboxModelCall(request: VouchedModelCallRequest) {
    return this.#session.authorizeSandboxModelCall(request);
  }
  authorizeEgress(call: EgressCall) {
    return this.#session.authorizeEgress(call);
  }
  gitAccess(request: Parameters<SessionApi["gitAccess"]>[0]) {
    return this.#session.gitAccess(request);
  }
  authorizeTransfer(call: TransferCall) {
    return this.#session.authorizeTransfer(call);
  }
  yieldRunner() {
    return this.#session.yieldRunner();
  }
  settleModelCall(outcome: ModelCallOutcome) {
    return this.#session.settleModelCall(outcome);
  }
  authorizeRunner(linkToken: string, upload?: PartUpload) {
    return this.#session.authorizeRunner(linkToken, upload);
  }
  hostAvailable() {
    return this.#session.hostAvailable();
  }
  runnerExited(report: Parameters<SessionApi["runnerExited"]>[0]) {
    return this.#session.runnerExited(report);
  }
  archive(archived: boolean) {
    return this.#session.archive(archived);
  }
  submitApiPrompt(prompt: ApiPrompt) {
    return this.#session.submitApiPrompt(prompt);
  }
  promptProgress(promptId: string) {
    return this.#session.promptProgress(promptId);
  }
  changesBefore(seq: number) {
    return this.#session.changesBefore(seq);
  }
  stopPrompt(promptId: string, author: Author) {
    return this.#session.stopPrompt(promptId, author);
  }
  answerApproval(approvalId: string, answer: ApprovalAnswer, author: Author) {
    return this.#session.answerApproval(approvalId, answer, author);
  }
  startExecution(execution: ApiExecution) {
    return this.#session.startExecution(execution);
  }
  stopExecution(executionId: string, author: Author) {
    return this.#session.stopExecution(executionId, author);
  }
  executionResult(executionId: string) {
    return this.#session.executionResult(executionId);
  }
  destroy() {
    return this.#session.destroy();
  }

  override fetch(request: Request) {
    return this.#session.fetch(request);
  }
  override webSocketMessage(ws: WebSocket, message: string | ArrayBuffer) {
    return this.#session.message(ws, message);
  }
  override webSocketClose(ws: WebSocket) {
    this.#session.closed(ws);
  }
  override webSocketError(ws: WebSocket) {
    this.#session.closed(ws);
  }
  override alarm() {
    return this.#session.alarm();
  }
}
