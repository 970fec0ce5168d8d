/** The typed RPC surface of a session: the only way the rest of the Worker reaches it (through `stub.ts`). */
import type { ApprovalPolicy } from "@ai-dev-platform/protocol/api/access";
import type { ExecuteRequest, Execution } from "@ai-dev-platform/protocol/api/execute";
import type { ApprovalAnswer } from "@ai-dev-platform/protocol/approvals";
import type { ErrorCode } from "@ai-dev-platform/protocol/errors";
import type { Author, ChangedFile, TurnOutcome, Usage } from "@ai-dev-platform/protocol/events";
import type { HostKind, Lifecycle, Mode, ModelSource, Network, SandboxSize } from "@ai-dev-platform/protocol/modes";
import type { Role } from "@ai-dev-platform/protocol/roles";
import type { WorkspaceSource } from "@ai-dev-platform/protocol/runner";
import type { SnapshotRef } from "@ai-dev-platform/protocol/snapshot";
import type { SessionState } from "@ai-dev-platform/protocol/state";

export interface SessionInit {
  sessionId: string;
  ownerId: string;
  ownerName: string;
  title: string;
  projectId: string;
  projectName: string;
  source: WorkspaceSource;
  trustProject: boolean;
  lifecycle: Lifecycle;
  mode: Mode;
  model: string;
  modelSource: ModelSource;
  /** Null: any operator machine that is online. */
  machineId: string | null;
  /** The machine is the owner's own: it does only what a browser that it knows has signed. */
  isOwnMachine?: boolean;
  budgetUsd: number;
  /** Absent in sessions that were made before there were sandboxes: a machine. */
  host?: HostKind;
  size?: SandboxSize;
  network?: Network;
  maxHours?: number;
  prompt: { promptId: string; text: string } | null;
  /** Epoch ms: it deletes itself then, unless somebody has chosen to keep its files. */
  disposeAt?: number;
  /** The API token that made it, or none: what it costs counts against that token. */
  apiTokenId?: string;
  /** What it goes on from; its parts lie under this session's own names. */
  fork?: ForkOrigin;
}

/** A saved state of another session. */
export interface ForkOrigin {
  sessionId: string;
  title: string;
  throughSeq: number;
  snapshot: SnapshotRef;
  /** The agent's own conversation of each thread. */
  conversations: Record<string, string>;
  label: string;
}

export interface TicketRequest {
  userId: string | null;
  name: string;
  role: Role;
  /** `owner`, or the share this comes from. */
  grantId: string;
  /** Epoch milliseconds after which the grant is void; null for the owner. */
  grantExpiresAt: number | null;
}

export interface ModelCallRequest {
  modelToken: string;
  model: string;
  /** Whose call it is among several agents, in the agent's own words: for attribution, not for access. */
  thread?: string | null;
  /** Upper estimate in US dollars; held until the call is settled. */
  estimateUsd: number;
}

/** A call that comes out of a sandbox: its caller vouches for the incarnation, so no token is needed. */
export interface VouchedModelCallRequest {
  incarnation: number;
  model: string;
  thread?: string | null;
  estimateUsd: number;
}

export interface EgressCall {
  /** Of the sandbox that the request comes out of, vouched for by the caller. */
  incarnation: number;
  /** Normalised: lower case, no trailing dot, no port. */
  host: string;
  method: string;
  /** Of the address, without its query; for the policy alone, never for the log. */
  path?: string | undefined;
}
export interface EgressVerdict {
  decision: "allow" | "deny";
  reason: string;
}

/** One thing that was said in a session's thread. */
export interface TalkItem {
  who: "person" | "agent" | "note";
  text: string;
}

export interface Talk {
  /** Oldest first. */
  items: TalkItem[];
  /** There was more before. */
  isCut: boolean;
  /** Of the log, when it was read. */
  throughSeq: number;
}

/** What a session's agent may do with Git over HTTPS. */
export interface GitAccess {
  ownerId: string;
  repositoryUrl: string;
  /** Branches it may push to: an exact name, or a prefix that ends in `*`. */
  branchPattern: string;
}

/** Out of a sandbox: its caller vouches for the incarnation, and hands on the token that it was shown. */
export interface TransferCall {
  incarnation: number;
  transferToken: string;
  /** Set when a part is about to be stored. */
  upload?: PartUpload;
}

export interface PartUpload {
  snapshotId: string;
  part: number;
  bytes: number;
}

/** A program's prompt. The same id with the same body is the same prompt. */
export interface ApiPrompt {
  promptId: string;
  thread: string;
  text: string;
  approvals: ApprovalPolicy;
  author: Author;
  /** Whose spending its turn is. */
  tokenId: string;
  /** What that token may still spend; absent or null: no limit of its own. No part of the body. */
  budgetUsd?: number | null;
}

/** Where a prompt is. `seq`: of the entry that queued it; `endSeq`: of its turn's end. */
export type PromptProgress =
  | { state: "queued"; seq: number }
  | { state: "running"; seq: number; turnId: string }
  | { state: "ended"; seq: number; turnId: string | null; outcome: TurnOutcome | "withdrawn"; endSeq: number };

export interface ApiExecution {
  /** Chosen by the caller; the same id with the same body is the same execution, and never runs twice. */
  executionId: string;
  request: ExecuteRequest;
  author: Author;
}

const TOKEN_GRANT = /^token(?:-socket)?:(.+)$/;
/** The grant of all that an API token watches in a session. Its revocation ends the token's prompts as well. */
export const tokenGrantId = (tokenId: string): string => `token:${tokenId}`;
/** The grant of its sockets that speak the native protocol: they may say more. */
export const tokenSocketGrantId = (tokenId: string): string => `token-socket:${tokenId}`;
/** Null: a person's. */
export const tokenOfGrant = (grantId: string): string | null => TOKEN_GRANT.exec(grantId)?.[1] ?? null;

/**
 * Beside the public doors, a sandbox's own object opens the runner's link by this path of `fetch`, with the incarnation
 * as its query, and the token that the runner showed. A public request never has this path: routes hand theirs on as they came.
 */
export const VOUCHED_LINK_PATH = "/vouched/link";

export type ModelCallVerdict = { ok: true; callId: string; ownerId: string; modelSource: ModelSource } | { ok: false; code: ErrorCode };

export interface ModelCallOutcome {
  callId: string;
  usage: Usage;
  /** Upstream's status; 0 when it could not be reached. */
  status: number;
  /** A condition of the key that people should see. */
  keyProblem: "key_invalid" | "key_no_credit" | "rate_limited" | null;
}

export type RpcOutcome = { ok: true } | { ok: false; code: ErrorCode };

/**
 * Beside these, the object answers `fetch` for two sockets:
 * `/api/sessions/:id/socket` (viewer; subprotocol `ticket.<t>`) and `/runner/sessions/:id/link` (runner; bearer link token).
 */
export interface SessionApi {
  create(init: SessionInit): Promise<RpcOutcome>;
  state(): Promise<SessionState | null>;
  mintTicket(request: TicketRequest): Promise<{ ok: true; ticket: string } | { ok: false; code: ErrorCode }>;
  /** Closes the grant's sockets within 2 s and refuses its tickets from now on. */
  revokeGrant(grantId: string): Promise<void>;
  /** For a fork. Null: the newest. */
  savedState(snapshotId: string | null): Promise<{ ok: true; init: SessionInit; fork: ForkOrigin } | { ok: false; code: ErrorCode }>;
  /** The uploaded archive that its workspace begins with; null where it begins otherwise. */
  archiveSource(): Promise<{ ownerId: string; importId: string } | null>;
  rename(title: string): Promise<RpcOutcome>;
  /** What was said in a thread after an entry, without what was said directly. Null: the session is gone. */
  recentTalk(thread: string, afterSeq: number): Promise<Talk | null>;
  authorizeModelCall(request: ModelCallRequest): Promise<ModelCallVerdict>;
  authorizeSandboxModelCall(request: VouchedModelCallRequest): Promise<ModelCallVerdict>;
  settleModelCall(outcome: ModelCallOutcome): Promise<void>;
  /** For a sandbox's snapshot transfers: is this the current incarnation, and the token for them its own? */
  authorizeTransfer(call: TransferCall): Promise<RpcOutcome>;
  /** May this request leave the sandbox? Writes a block to the log, and uses up an "allow once". */
  authorizeEgress(call: EgressCall): Promise<EgressVerdict>;
  /** Null: not this session's repository, or not the current incarnation. */
  gitAccess(request: { incarnation: number; url: string }): Promise<GitAccess | null>;
  /** For snapshot transfers: is this the current runner's link token? With a part that is about to be stored: may it be, too? */
  authorizeRunner(linkToken: string, upload?: PartUpload): Promise<{ ok: true; incarnation: number } | { ok: false; code: ErrorCode }>;
  /** Another session waits for room: an idle runner goes to sleep now. True when it does. */
  yieldRunner(): Promise<boolean>;
  /** A machine came online: start what waits for it. */
  hostAvailable(): Promise<void>;
  /** A machine reports that this runner's process ended. */
  runnerExited(report: { incarnation: number; exitCode: number | null; signal: string | null; lastWords: string }): Promise<void>;
  archive(archived: boolean): Promise<RpcOutcome>;
  /** For programs (SPEC CA). Durable when it resolves. */
  submitApiPrompt(prompt: ApiPrompt): Promise<{ ok: true; seq: number } | { ok: false; code: ErrorCode }>;
  /** Null: unknown. */
  promptProgress(promptId: string): Promise<PromptProgress | null>;
  /** Files that differed from the session's beginning just before this entry. */
  changesBefore(seq: number): Promise<ChangedFile[]>;
  /** Withdraws it while it waits, stops its turn while it runs, and is content when it has ended. */
  stopPrompt(promptId: string, author: Author): Promise<RpcOutcome>;
  answerApproval(approvalId: string, answer: ApprovalAnswer, author: Author): Promise<RpcOutcome>;
  /** Starts a program in the workspace (SPEC EX); its end is an entry of the log, and `executionResult`. */
  startExecution(execution: ApiExecution): Promise<{ ok: true; seq: number } | { ok: false; code: ErrorCode; detail?: string }>;
  stopExecution(executionId: string, author: Author): Promise<RpcOutcome>;
  /** Null: unknown, or it has not ended. */
  executionResult(executionId: string): Promise<Execution | null>;
  /** Ends everything, removes the log and the snapshots; later calls answer `session_deleted`. */
  destroy(): Promise<void>;
}
