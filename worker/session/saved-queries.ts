/**
 * Questions that saved states answer (SPEC SN10): files of the newest while no runner serves, and what differs between
 * two. One is read at a time, outside of any transaction, so that neither memory nor other work suffers; one whose asker
 * has gone is dropped. A mere viewer of a share sees what differs, not every file.
 */
import type { AsOf, Query } from "@ai-dev-platform/protocol/queries";
import { may, type Role } from "@ai-dev-platform/protocol/roles";
import { snapshotRefSchema, type SnapshotRef } from "@ai-dev-platform/protocol/snapshot";
import type { BaseParts } from "./parts.ts";
import type { SavedAnswer, SavedLook } from "./ports.ts";
import { findSnapshot } from "./rewind.ts";
import { OFFERED_SNAPSHOTS } from "./saves.ts";

/** More is a sign of a runaway client. */
const MAX_WAITING = 32;

type Difference = Extract<Query, { kind: "snapshot_changes" | "snapshot_patch" }>;
type DifferenceParts = Pick<BaseParts, "sql" | "ports" | "ledger">;

const NOT_KEPT: SavedAnswer = { ok: false, code: "not_found", detail: "That saved state is not kept any more." };
const NOT_SHOWN: SavedAnswer = { ok: false, code: "forbidden", detail: "This share shows what changed, not every file." };

export class SavedQueries {
  readonly #parts: BaseParts;
  #waiting = 0;
  #last: Promise<void> = Promise.resolve();

  constructor(parts: BaseParts) {
    this.#parts = parts;
  }

  /** From the newest saved state that can be read, which the answer names. False when nothing is saved. */
  lookAsleep(ws: WebSocket, requestId: string, query: SavedLook): boolean {
    const states = newestStates(this.#parts.sql);
    if (states.length === 0) return false;
    this.#ask(ws, requestId, async (sessionId) => {
      let answer: SavedAnswer = NOT_KEPT;
      for (const { ref, asOf } of states) {
        const looked = await this.#parts.ports.savedFiles.look(sessionId, ref, query);
        if (looked.ok) return { ok: true, result: { ...looked.result, asOf } };
        answer = looked;
        // As a runner that wakes: it would take the one before a damaged one.
        if (looked.code !== "snapshot_damaged") break;
      }
      return answer;
    });
    return true;
  }

  /** Of a file that is new since the session's start, as then nothing but the newest state is needed. False for others. */
  patchAsleep(ws: WebSocket, requestId: string, path: string): boolean {
    const [head] = newestStates(this.#parts.sql);
    if (head === undefined || !isNewFile(this.#parts, path)) return false;
    this.#ask(ws, requestId, async (sessionId) => {
      const answer = await this.#parts.ports.savedFiles.patch(sessionId, null, head.ref, path);
      return answer.ok ? { ok: true, result: { ...answer.result, kind: "patch" } } : answer;
    });
    return true;
  }

  differences(ws: WebSocket, requestId: string, role: Role, query: Difference): void {
    this.#ask(ws, requestId, (sessionId) => readDifference(this.#parts, sessionId, role, query));
  }

  #ask(ws: WebSocket, requestId: string, read: (sessionId: string) => Promise<SavedAnswer>): void {
    const { ctx, viewers } = this.#parts;
    if (this.#waiting >= MAX_WAITING) return viewers.refuse(ws, requestId, "rate_limited");
    this.#waiting += 1;
    this.#last = this.#last.then(() => this.#answer(ws, requestId, read));
    ctx.waitUntil(this.#last);
  }

  async #answer(ws: WebSocket, requestId: string, read: (sessionId: string) => Promise<SavedAnswer>): Promise<void> {
    const { init, ports, viewers } = this.#parts;
    const sessionId = init()?.sessionId ?? "";
    try {
      if (ws.readyState !== WebSocket.OPEN) return;
      const answer = await read(sessionId);
      if (answer.ok) viewers.send(ws, { type: "reply", requestId, result: answer.result });
      else viewers.refuse(ws, requestId, answer.code, answer.detail);
    } catch (error) {
      ports.log.warn("saved_state_unread", { sessionId, reason: String(error) });
      viewers.refuse(ws, requestId, "unavailable", "The saved files could not be read now. Try again.");
    } finally {
      this.#waiting -= 1;
    }
  }
}

/** The head, then the ones to fall back to. */
function newestStates(sql: SqlStorage): { ref: SnapshotRef; asOf: AsOf }[] {
  return sql
    .exec<{ ref: string; through_seq: number; at: number }>(
      `SELECT s.ref, s.through_seq, e.at FROM snapshots s JOIN events e ON e.seq = s.seq ORDER BY s.seq DESC LIMIT ?`,
      OFFERED_SNAPSHOTS,
    )
    .toArray()
    .map((row) => {
      const ref = snapshotRefSchema.parse(JSON.parse(row.ref));
      return { ref, asOf: { snapshotId: ref.snapshotId, throughSeq: row.through_seq, at: row.at } };
    });
}

async function readDifference(parts: DifferenceParts, sessionId: string, role: Role, query: Difference): Promise<SavedAnswer> {
  const { sql, ports } = parts;
  const to = findSnapshot(sql, query.toId)?.ref ?? null;
  const from = query.fromId === null ? stateBefore(sql, to) : (findSnapshot(sql, query.fromId)?.ref ?? null);
  if (to === null || (query.fromId !== null && from === null)) return NOT_KEPT;
  // Against nothing, every file of the project differs.
  const isAll = from === null && !may(role, "propose");
  if (query.kind === "snapshot_patch") {
    if (isAll && !isNewFile(parts, query.path)) return NOT_SHOWN;
    return ports.savedFiles.patch(sessionId, from, to, query.path);
  }
  const answer = await ports.savedFiles.changes(sessionId, from, to);
  if (!isAll || !answer.ok) return answer;
  const files = answer.result.files.filter(({ path }) => isNewFile(parts, path));
  return { ok: true, result: { ...answer.result, files } };
}

/** What a state was saved on top of; when that is not kept any more, the nearest older one. */
function stateBefore(sql: SqlStorage, state: SnapshotRef | null): SnapshotRef | null {
  if (state === null) return null;
  const parent = state.parentId === null ? null : findSnapshot(sql, state.parentId);
  if (parent !== null) return parent.ref;
  const row = sql
    .exec<{ ref: string }>(
      `SELECT ref FROM snapshots WHERE seq < (SELECT seq FROM snapshots WHERE snapshot_id = ?) ORDER BY seq DESC LIMIT 1`,
      state.snapshotId,
    )
    .toArray()[0];
  return row === undefined ? null : snapshotRefSchema.parse(JSON.parse(row.ref));
}

/** As the log tells everybody. */
const isNewFile = ({ ledger }: DifferenceParts, path: string): boolean =>
  ledger.state.changes.files.some((file) => file.path === path && file.status === "added");
