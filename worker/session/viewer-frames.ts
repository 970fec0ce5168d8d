/**
 * What a viewer says (SPEC VS1, VS6, PV, RO). The grant is read from storage for each frame; a role that may not is
 * answered `forbidden`; a look never starts a runner. Changes are use cases of the parts; this module only judges,
 * calls and answers.
 */
import { CLOSE } from "@ai-dev-platform/protocol/close-codes";
import { decodeFrame } from "@ai-dev-platform/protocol/codec";
import { ERRORS, type ErrorCode } from "@ai-dev-platform/protocol/errors";
import type { Author } from "@ai-dev-platform/protocol/events";
import { MAIN_THREAD, promptIdSchema, requestIdSchema } from "@ai-dev-platform/protocol/ids";
import { MAX_PROMPT_CHARS, MAX_VIEWER_FRAME_BYTES, MAX_VIEWER_FRAMES_PER_SECOND } from "@ai-dev-platform/protocol/limits";
import { may, type Ability, type Role } from "@ai-dev-platform/protocol/roles";
import { judgeVersion } from "@ai-dev-platform/protocol/version";
import { viewerFrameSchema, type ViewerFrame } from "@ai-dev-platform/protocol/viewer";
import * as z from "zod";
import { roleOfGrant } from "./grants.ts";
import { giveAnswer } from "./answers.ts";
import { tokenOfGrant } from "./api.ts";
import { markSpending } from "./api-prompts.ts";
import { changeHostSetting } from "./host-settings.ts";
import type { SessionParts } from "./parts.ts";
import { requestMove } from "./moves.ts";
import { submitPrompt } from "./prompts.ts";
import { keepMachineCommand, keepModeSignature, signedOf } from "./signed-commands.ts";
import { requestRewind } from "./rewind.ts";
import { startThread } from "./threads.ts";
import { stopExecution } from "./executions.ts";
import { closeQuietly } from "./runner-link.ts";
import type { ViewerMark } from "./viewer-mark.ts";
import { askRunner, requestSave } from "./viewer-queries.ts";

/** What each frame needs. A query names its own need. */
const NEEDS: Record<Exclude<ViewerFrame["type"], "hello" | "ack" | "query">, Ability> = {
  history: "read",
  prompt: "drive",
  prompt_edit: "drive",
  prompt_move: "drive",
  prompt_withdraw: "drive",
  stop: "drive",
  stop_all: "drive",
  stop_execution: "drive",
  start_thread: "drive",
  answer: "approve",
  set_mode: "drive",
  set_model: "drive",
  machine_command: "own",
  set_budget: "own",
  set_max_hours: "own",
  set_lifecycle: "own",
  set_network: "own",
  allow_host: "drive",
  rename: "own",
  warm: "drive",
  save: "drive",
  rewind: "drive",
  set_host: "own",
};

/** What a frame that could not be read may still say about whom to answer. */
const namedSchema = z.looseObject({
  type: z.string().optional(),
  requestId: requestIdSchema.optional().catch(undefined),
  promptId: promptIdSchema.optional().catch(undefined),
  text: z.string().optional().catch(undefined),
});

type Outcome = { ok: true } | { ok: false; code: ErrorCode; detail?: string | undefined };
type Change = Exclude<ViewerFrame, { type: "hello" | "ack" | "history" | "prompt" | "query" | "warm" | "set_host" }>;

const DONE: Outcome = { ok: true };

export class ViewerFrames {
  readonly #parts: SessionParts;
  readonly #rates = new WeakMap<WebSocket, { second: number; frames: number }>();

  constructor(parts: SessionParts) {
    this.#parts = parts;
  }

  take(ws: WebSocket, mark: ViewerMark, message: string | ArrayBuffer): void {
    const now = this.#parts.ports.clock.now();
    if (this.#isFlooding(ws, now)) return closeQuietly(ws, CLOSE.flooding, "too many frames");
    const decoded = decodeFrame(viewerFrameSchema, message, MAX_VIEWER_FRAME_BYTES);
    const role = roleOfGrant(this.#parts.sql, mark.grantId, now);
    if (role === null) return closeQuietly(ws, CLOSE.revoked, "access ended");
    if (!decoded.ok) return this.#refuseUnread(ws, mark, message, decoded.detail);
    const { frame } = decoded;
    if (frame.type === "hello") return this.#hello(ws, mark, role, frame, now);
    if (mark.phase === "new") return closeQuietly(ws, CLOSE.badFrame, "hello comes first");
    if (frame.type === "ack") return this.#parts.viewers.acknowledge(ws, mark, frame.receivedBytes);
    if (frame.type === "query") return askRunner(this.#parts, ws, mark, role, frame);
    if (!may(role, needOf(frame))) return this.#forbid(ws, frame);
    this.#handle(ws, mark, frame);
  }

  #isFlooding(ws: WebSocket, now: number): boolean {
    const second = Math.floor(now / 1_000);
    const rate = this.#rates.get(ws);
    if (rate === undefined || rate.second !== second) {
      this.#rates.set(ws, { second, frames: 1 });
      return false;
    }
    rate.frames += 1;
    return rate.frames > MAX_VIEWER_FRAMES_PER_SECOND;
  }

  #refuseUnread(ws: WebSocket, mark: ViewerMark, message: string | ArrayBuffer, detail: string): void {
    const named =
      mark.phase === "new" || typeof message !== "string" || message.length > MAX_VIEWER_FRAME_BYTES ? null : readNames(message);
    if (named?.type === "prompt" && named.promptId !== undefined) {
      const code = (named.text?.length ?? 0) > MAX_PROMPT_CHARS ? "too_large" : "bad_frame";
      return this.#parts.viewers.send(ws, { type: "prompt_refused", promptId: named.promptId, code, message: ERRORS[code].message });
    }
    if (named?.requestId !== undefined) return this.#parts.viewers.refuse(ws, named.requestId, "bad_frame", detail);
    closeQuietly(ws, CLOSE.badFrame, "the frame could not be read");
  }

  #hello(ws: WebSocket, mark: ViewerMark, role: Role, frame: Extract<ViewerFrame, { type: "hello" }>, now: number): void {
    if (judgeVersion(frame.version) !== "ok") return closeQuietly(ws, CLOSE.incompatible, "reload the page");
    const sessionId = this.#parts.init()?.sessionId ?? "";
    this.#parts.viewers.welcome(ws, mark, { sessionId, role, afterSeq: frame.afterSeq, now });
  }

  #forbid(ws: WebSocket, frame: Exclude<ViewerFrame, { type: "hello" | "ack" | "query" }>): void {
    const { viewers } = this.#parts;
    if (frame.type === "warm") return;
    if (frame.type !== "prompt") return viewers.refuse(ws, frame.requestId, "forbidden");
    viewers.send(ws, { type: "prompt_refused", promptId: frame.promptId, code: "forbidden", message: ERRORS.forbidden.message });
  }

  #handle(ws: WebSocket, mark: ViewerMark, frame: Exclude<ViewerFrame, { type: "hello" | "ack" | "query" }>): void {
    const { viewers, conductor } = this.#parts;
    if (frame.type === "history") return viewers.history(ws, frame.requestId, frame.beforeSeq, frame.limit);
    conductor.touch();
    if (frame.type === "warm") return conductor.feed({ type: "warm" });
    if (frame.type === "prompt") return this.#prompt(ws, mark, frame);
    if (frame.type === "set_host") return this.#parts.ctx.waitUntil(this.#move(ws, mark, frame));
    this.#answer(
      ws,
      frame.requestId,
      this.#parts.ledger.transact(() => this.#change(mark, frame)),
    );
  }

  #answer(ws: WebSocket, requestId: string, outcome: Outcome): void {
    const { viewers } = this.#parts;
    if (outcome.ok) viewers.send(ws, { type: "reply", requestId });
    else viewers.refuse(ws, requestId, outcome.code, outcome.detail);
  }

  /** Whether the place is offered is known elsewhere, so that the answer takes a moment. */
  async #move(ws: WebSocket, mark: ViewerMark, frame: Extract<ViewerFrame, { type: "set_host" }>): Promise<void> {
    const { requestId, host, machineId } = frame;
    try {
      const outcome = await requestMove(this.#parts, { requestId, wanted: { host, machineId }, author: authorOf(mark) });
      this.#answer(ws, requestId, outcome);
    } catch (error) {
      this.#parts.ports.log.error("move_not_judged", { reason: String(error) });
      this.#parts.viewers.refuse(ws, requestId, "unavailable");
    }
  }

  #prompt(ws: WebSocket, mark: ViewerMark, frame: Extract<ViewerFrame, { type: "prompt" }>): void {
    const { promptId, text, delivery, thread = MAIN_THREAD, signature } = frame;
    const { viewers, ledger, sql } = this.#parts;
    const tokenId = tokenOfGrant(mark.grantId);
    const outcome = ledger.transact(() => {
      const submitted = submitPrompt(this.#parts, { promptId, thread, text, delivery, signature }, authorOf(mark));
      if (submitted.ok && submitted.isNew && tokenId !== null) markSpending(sql, promptId, tokenId);
      return submitted;
    });
    if (outcome.ok) viewers.send(ws, { type: "prompt_ack", promptId, seq: outcome.seq });
    else viewers.send(ws, { type: "prompt_refused", promptId, code: outcome.code, message: ERRORS[outcome.code].message });
  }

  #change(mark: ViewerMark, frame: Change): Outcome {
    const { prompts, conductor } = this.#parts;
    switch (frame.type) {
      case "prompt_edit":
        return prompts.edit(frame.promptId, frame.text, frame.signature);
      case "prompt_move":
        return prompts.move(frame.promptId, frame.position);
      case "prompt_withdraw": {
        const outcome = prompts.withdraw(frame.promptId, authorOf(mark));
        if (outcome.ok) conductor.feed({ type: "proceed", mayStart: false });
        return outcome;
      }
      case "stop":
        return this.#stop(mark, [frame.turnId]);
      case "stop_all":
        return this.#stop(mark, frame.turnIds);
      case "stop_execution":
        return stopExecution(this.#parts, frame.executionId, authorOf(mark));
      case "start_thread":
        return startThread(this.#parts, frame.thread, frame.title, authorOf(mark));
      case "answer":
        return giveAnswer(this.#parts, { ...frame, author: authorOf(mark) });
      case "save":
        return requestSave(this.#parts, frame.requestId);
      case "rewind":
        return requestRewind(this.#parts, { snapshotId: frame.snapshotId, scope: frame.scope ?? "all", author: authorOf(mark) });
      case "machine_command":
        return keepMachineCommand(this.#parts, frame);
      case "set_lifecycle":
      case "set_max_hours":
      case "set_network":
      case "allow_host":
        return changeHostSetting(this.#parts, frame, authorOf(mark));
      default:
        return this.#configure(frame);
    }
  }

  #configure(frame: Extract<Change, { type: "set_mode" | "set_model" | "set_budget" | "rename" }>): Outcome {
    const { ledger, link } = this.#parts;
    switch (frame.type) {
      case "set_mode": {
        const { mode } = frame;
        const signed = signedOf(frame);
        ledger.append({ event: { type: "mode_set", mode } });
        keepModeSignature(this.#parts.sql, frame.signature);
        ledger.afterCommit(() => void link.send({ type: "set_mode", mode, ...signed }));
        return DONE;
      }
      case "set_model": {
        const { model } = frame;
        const signed = signedOf(frame);
        ledger.append({ event: { type: "model_set", model } });
        ledger.afterCommit(() => void link.send({ type: "set_model", model, ...signed }));
        return DONE;
      }
      case "set_budget":
        ledger.append({ event: { type: "budget_set", budgetUsd: frame.budgetUsd } });
        return DONE;
      case "rename":
        ledger.append({ event: { type: "session_renamed", title: frame.title } });
        return DONE;
      default:
        return frame satisfies never;
    }
  }

  /** Stops these turns and no other: one that has ended already is stopped enough (SPEC TU3). */
  #stop(mark: ViewerMark, turnIds: readonly string[]): Outcome {
    const { conductor, sql } = this.#parts;
    const isKnown = (turnId: string) => sql.exec(`SELECT 1 AS one FROM turns WHERE turn_id = ?`, turnId).toArray().length > 0;
    if (!turnIds.every(isKnown)) return { ok: false, code: "not_found" };
    for (const turnId of turnIds) conductor.feed({ type: "stop", turnId, author: authorOf(mark) });
    return DONE;
  }
}

/** What is allowed for always counts in all of the owner's sessions. */
const needOf = (frame: Exclude<ViewerFrame, { type: "hello" | "ack" | "query" }>): Ability =>
  frame.type === "allow_host" && frame.scope === "always" ? "own" : NEEDS[frame.type];

/** A visitor by a share has no account: the share stands for them. */
const authorOf = (mark: ViewerMark): Author => ({ userId: mark.userId ?? mark.grantId, name: mark.name });

function readNames(message: string): z.infer<typeof namedSchema> | null {
  try {
    const parsed = namedSchema.safeParse(JSON.parse(message));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}
