/**
 * The runner's socket and its identity (SPEC RN1–RN4). Owns `runner` and `past_links`: which incarnation is current, the
 * hashes of its two tokens, and how far its items are in the log. A fenced incarnation has no tokens: its link, its
 * uploads and its model calls are refused from that transaction on.
 */
import { CLOSE } from "@ai-dev-platform/protocol/close-codes";
import { encodeFrame } from "@ai-dev-platform/protocol/codec";
import type { RunnerOrderFrame } from "@ai-dev-platform/protocol/runner";
import * as z from "zod";

export const RUNNER_TAG = "runner";

/** What survives hibernation with the socket. */
const linkMarkSchema = z.object({ kind: z.literal("runner"), incarnation: z.int(), phase: z.enum(["new", "greeted"]), helloAt: z.int() });
export type LinkMark = z.infer<typeof linkMarkSchema>;

export type LinkVerdict = { kind: "current"; incarnation: number } | { kind: "past" } | { kind: "unknown" };

type RunnerRow = { incarnation: number; link_hash: string | null; model_hash: string | null; acked_rseq: number };

export class RunnerLink {
  readonly #ctx: DurableObjectState;
  readonly #sql: SqlStorage;
  /** A cache over attachments: each frame asks, and reading one is a structured clone. */
  readonly #marks = new WeakMap<WebSocket, LinkMark>();
  #lastHeardAt = 0;

  constructor(ctx: DurableObjectState) {
    this.#ctx = ctx;
    this.#sql = ctx.storage.sql;
  }

  /** A new incarnation takes over; the one before is a past link. */
  install(incarnation: number, linkHash: string, modelHash: string): void {
    this.fence();
    this.#sql.exec(
      `INSERT INTO runner (one, incarnation, link_hash, model_hash) VALUES (1, ?1, ?2, ?3)
       ON CONFLICT (one) DO UPDATE SET incarnation = ?1, link_hash = ?2, model_hash = ?3, acked_rseq = 0, bad_frames = 0`,
      incarnation,
      linkHash,
      modelHash,
    );
  }

  fence(): void {
    this.#sql.exec(
      `INSERT INTO past_links (link_hash, incarnation) SELECT link_hash, incarnation FROM runner WHERE link_hash IS NOT NULL ON CONFLICT DO NOTHING`,
    );
    this.#sql.exec(`UPDATE runner SET link_hash = NULL, model_hash = NULL`);
  }

  judge(linkHash: string): LinkVerdict {
    const row = this.#row();
    if (row !== null && row.link_hash === linkHash) return { kind: "current", incarnation: row.incarnation };
    const isPast = this.#sql.exec(`SELECT 1 AS one FROM past_links WHERE link_hash = ?`, linkHash).toArray().length > 0;
    return { kind: isPast ? "past" : "unknown" };
  }

  /** The incarnation that this model token belongs to; null when it is not, or no longer, good. */
  incarnationOfModelToken(modelHash: string): number | null {
    const row = this.#row();
    return row !== null && row.model_hash === modelHash ? row.incarnation : null;
  }

  /** Whether this incarnation is the current one and was not fenced. */
  isCurrent(incarnation: number): boolean {
    const row = this.#row();
    return row !== null && row.link_hash !== null && row.incarnation === incarnation;
  }

  /** Of the current incarnation; null for every other. */
  linkHashOf(incarnation: number): string | null {
    return this.isCurrent(incarnation) ? (this.#row()?.link_hash ?? null) : null;
  }

  get incarnation(): number {
    return this.#row()?.incarnation ?? 0;
  }

  get ackedRseq(): number {
    return this.#row()?.acked_rseq ?? 0;
  }

  setAcked(rseq: number): void {
    this.#sql.exec(`UPDATE runner SET acked_rseq = ?`, rseq);
  }

  countBadFrame(): number {
    return (
      this.#sql.exec<{ bad_frames: number }>(`UPDATE runner SET bad_frames = bad_frames + 1 RETURNING bad_frames`).toArray()[0]
        ?.bad_frames ?? 0
    );
  }

  /** The socket of the current incarnation that said hello; null when there is none. */
  socket(): WebSocket | null {
    const { incarnation } = this;
    for (const ws of this.sockets()) {
      const mark = this.mark(ws);
      if (mark?.phase === "greeted" && mark.incarnation === incarnation && ws.readyState === WebSocket.OPEN) return ws;
    }
    return null;
  }

  sockets(): WebSocket[] {
    return this.#ctx.getWebSockets(RUNNER_TAG);
  }

  mark(ws: WebSocket): LinkMark | null {
    const known = this.#marks.get(ws);
    if (known !== undefined) return known;
    const parsed = linkMarkSchema.safeParse(ws.deserializeAttachment());
    if (!parsed.success) return null;
    this.#marks.set(ws, parsed.data);
    return parsed.data;
  }

  setMark(ws: WebSocket, mark: LinkMark): void {
    this.#marks.set(ws, mark);
    ws.serializeAttachment(mark);
  }

  /** False when no runner listens; whoever comes back is told again. */
  send(frame: RunnerOrderFrame): boolean {
    const ws = this.socket();
    if (ws === null) return false;
    this.sendTo(ws, frame);
    return true;
  }

  sendTo(ws: WebSocket, frame: RunnerOrderFrame): void {
    try {
      ws.send(encodeFrame(frame));
    } catch {
      // The socket closed under us; its close event follows.
    }
  }

  closeAll(code: number, reason: string, except: WebSocket | null = null): void {
    for (const ws of this.sockets()) if (ws !== except) closeQuietly(ws, code, reason);
  }

  heard(now: number): void {
    this.#lastHeardAt = now;
  }

  /** When the runner last gave a sign of life: a frame, or a ping that the platform answered while we slept. */
  lastSignAt(ws: WebSocket): number {
    const pingedAt = this.#ctx.getWebSocketAutoResponseTimestamp(ws)?.getTime() ?? 0;
    return Math.max(pingedAt, this.#lastHeardAt, this.mark(ws)?.helloAt ?? 0);
  }

  #row(): RunnerRow | null {
    return this.#sql.exec<RunnerRow>(`SELECT incarnation, link_hash, model_hash, acked_rseq FROM runner`).toArray()[0] ?? null;
  }
}

export function closeQuietly(ws: WebSocket, code: number, reason: string): void {
  try {
    ws.close(code, reason);
  } catch {
    // Closed already.
  }
}

export const FENCED_CLOSE = [CLOSE.fenced, "a newer runner took over"] as const;
