/**
 * Orders to one machine: start, kill, forget, and their answers. Every order is in the roster before it is sent, so a
 * lost answer is made good by the machine's next hello. Does not own: who waits for room (waiting-list.ts). SPEC MA1, MA2.
 */
import { ERRORS, isErrorCode, type ErrorCode } from "@ai-dev-platform/protocol/errors";
import { RUNNER_PING_INTERVAL_MS } from "@ai-dev-platform/protocol/limits";
import type { RunnerOrder } from "@ai-dev-platform/protocol/machine";
import { newId } from "../../ids.ts";
import type { StartOutcome } from "../../session/ports.ts";
import type { ControlSockets } from "./control-sockets.ts";
import { reconcile, type LivingRunner } from "./reconcile.ts";
import type { Replies, Reply } from "./replies.ts";
import type { Roster } from "./roster.ts";

export interface Patience {
  startReplyMs: number;
  killReplyMs: number;
  /** Without a ping for this long, the machine is gone although its socket does not know it. */
  silenceMs: number;
}

/** A start includes ending an older runner. A kill must leave the session time within its own deadline to stop. */
export const PATIENCE: Patience = { startReplyMs: 20_000, killReplyMs: 6_000, silenceMs: 3.5 * RUNNER_PING_INTERVAL_MS };

export class Orders {
  readonly #roster: Roster;
  readonly #replies: Replies;
  readonly #sockets: ControlSockets;

  constructor(roster: Roster, replies: Replies, sockets: ControlSockets) {
    this.#roster = roster;
    this.#replies = replies;
    this.#sockets = sockets;
  }

  /** A person's own machine runs their sessions and nobody else's, whatever pinned one to it. SPEC MA7. */
  async start(order: RunnerOrder, sessionOwnerId: string, timeoutMs: number): Promise<StartOutcome> {
    const current = this.#sockets.current();
    if (current === null) return { kind: "waiting", code: "no_machine" };
    if (current.ownerId !== null && current.ownerId !== sessionOwnerId) return failed("forbidden", "the machine is somebody else's own");
    const { name, capacity, allowsPaths } = current.connected;
    const place = this.#roster.find(order.sessionId);
    if (place !== null && (place.state === "forgetting" || place.incarnation > order.incarnation)) {
      return failed("runner_fenced", `incarnation ${order.incarnation} is over`);
    }
    if (order.source.kind === "path" && !allowsPaths) return failed("workspace_path_refused", `${name} opens no folders`);
    if (this.#roster.countBusy(order.sessionId) >= capacity) return { kind: "waiting", code: "machine_full" };

    const requestId = newId("request");
    this.#roster.put({ sessionId: order.sessionId, incarnation: order.incarnation, state: "running" }, requestId);
    const answered = this.#replies.wait(requestId, timeoutMs);
    this.#sockets.send({ type: "start", requestId, order });
    const answer = await answered;
    // Whether the machine got the order is unknown: its next hello says what lives there.
    if (answer.kind === "disconnected") return { kind: "waiting", code: "no_machine" };
    if (answer.kind === "timeout") {
      this.#orderKill(order);
      return failed("runner_start_failed", `${name} did not answer within ${timeoutMs / 1_000} s`);
    }
    return answer.reply.ok ? { kind: "started", hostName: name } : refused(answer.reply);
  }

  /** Resolves when the runner is gone, or when the machine cannot be asked; then its next hello is answered with the kill. */
  async kill(runner: LivingRunner, timeoutMs: number): Promise<void> {
    const place = this.#roster.find(runner.sessionId);
    if (place === null || place.incarnation > runner.incarnation) return;
    if (place.state === "stopped" || place.state === "forgetting") return;
    const { requestId, isSent } = this.#orderKill(place);
    if (isSent) await this.#replies.wait(requestId, timeoutMs);
  }

  /** Durable: a machine that is away hears it when it is back. */
  forget(sessionId: string): void {
    const place = this.#roster.find(sessionId);
    if (place === null) return;
    if (place.state === "running" || place.state === "killing") this.#orderKill(place);
    this.#orderForget(sessionId, place.incarnation);
  }

  /**
   * What a person's own machine says lives on it, without what was never ordered: it speaks for the runners that it was given,
   * and for no other session. What it should not have is ended. SPEC MA7.
   */
  ownRunners(living: readonly LivingRunner[]): LivingRunner[] {
    return living.filter((runner) => {
      const place = this.#roster.find(runner.sessionId);
      const isOrdered = place !== null && runner.incarnation <= place.incarnation;
      if (!isOrdered) this.#sockets.send({ type: "kill", requestId: newId("request"), ...runner });
      return isOrdered;
    });
  }

  /** Ends everything that lives there, without waiting for answers; returns what did. */
  killAll(): LivingRunner[] {
    const living = this.#roster.all().filter(({ state }) => state === "running" || state === "killing");
    for (const runner of living) this.#orderKill(runner);
    return living;
  }

  /** Compares with what the machine says lives on it; returns runners whose sessions must hear that they are gone. */
  reconcile(living: readonly LivingRunner[]): LivingRunner[] {
    const believed = this.#roster.all();
    const result = reconcile(believed, living);
    const known = new Map(believed.map((place) => [place.sessionId, place]));
    for (const place of result.places) {
      const before = known.get(place.sessionId);
      if (before?.state !== place.state || before.incarnation !== place.incarnation) this.#roster.put(place, null);
    }
    for (const runner of result.kill) this.#orderKill(runner);
    for (const sessionId of result.forget) this.#orderForget(sessionId, this.#roster.find(sessionId)?.incarnation ?? 1);
    return result.gone;
  }

  #orderKill({ sessionId, incarnation }: LivingRunner): { requestId: string; isSent: boolean } {
    const requestId = newId("request");
    this.#roster.put({ sessionId, incarnation, state: "killing" }, requestId);
    return { requestId, isSent: this.#sockets.send({ type: "kill", requestId, sessionId, incarnation }) };
  }

  #orderForget(sessionId: string, incarnation: number): void {
    const requestId = newId("request");
    this.#roster.put({ sessionId, incarnation, state: "forgetting" }, requestId);
    this.#sockets.send({ type: "forget", requestId, sessionId });
  }
}

const failed = (code: ErrorCode, detail: string): StartOutcome => ({ kind: "failed", code, detail, isTransient: ERRORS[code].retryable });

function refused(reply: Reply): StartOutcome {
  const code = reply.code !== undefined && isErrorCode(reply.code) ? reply.code : "runner_start_failed";
  if (code === "machine_full" || code === "no_machine" || code === "machine_stopped") return { kind: "waiting", code };
  return failed(code, reply.detail ?? "");
}
