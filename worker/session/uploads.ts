/**
 * Parts that a runner stores before it commits them (SPEC SN12, SN13). Owns `uploads`: what may lie in storage without
 * belonging to a kept state. Judges whether one more may come, and has what was never committed swept away.
 */
import type { ErrorCode } from "@ai-dev-platform/protocol/errors";
import { MAX_DEPENDENCY_LAYERS, MAX_SNAPSHOT_PARTS } from "@ai-dev-platform/protocol/limits";
import { snapshotRefSchema, storedParts, type SnapshotRef } from "@ai-dev-platform/protocol/snapshot";
import type { PartUpload } from "./api.ts";
import type { BaseParts } from "./parts.ts";
import { addedBytes, storedBytes } from "./stored-bytes.ts";

/** Of one largest save, its dependencies included. A runner that stores more has lost its way, or means harm. */
export const MAX_UNCOMMITTED_PARTS = MAX_SNAPSHOT_PARTS * (1 + MAX_DEPENDENCY_LAYERS);
/** What no kept state is read from goes when it is this old: a save in progress is minutes old at most. */
export const SWEPT_AGE_MS = 24 * 3_600_000;
/** Then everything that an upload of now leaves behind is old enough. */
const SWEEP_AFTER_MS = SWEPT_AGE_MS + 3_600_000;
const SWEEP_RETRY_MS = 3_600_000;
/** What the owner's other sessions leave changes slowly; a save need not wait for D1 each time. */
const ROOM_KEPT_MS = 60_000;

const nameOf = ({ snapshotId, part }: { snapshotId: string; part: number }): string => `${snapshotId}/${part}`;

export class Uploads {
  readonly #parts: BaseParts;
  #room: { bytes: number | null; at: number } | null = null;

  constructor(parts: BaseParts) {
    this.#parts = parts;
  }

  /** A part is about to be stored: the reason why it may not be, or null. */
  async admit(upload: PartUpload): Promise<ErrorCode | null> {
    const { sql, ledger, alarms, ports } = this.#parts;
    const name = nameOf(upload);
    const known = sql.exec<{ bytes: number }>(`SELECT bytes FROM uploads WHERE name = ?`, name).toArray()[0];
    // The same again: its first answer may have been lost.
    if (known !== undefined && known.bytes >= upload.bytes) return null;
    const added = upload.bytes - (known?.bytes ?? 0);
    if (!(await this.#fits(() => storedBytes(sql) + this.#uncommitted().bytes + added))) return "quota_exceeded";
    if (this.#uncommitted().parts >= MAX_UNCOMMITTED_PARTS) return "rate_limited";
    const now = ports.clock.now();
    ledger.transact(() => {
      sql.exec(
        `INSERT INTO uploads (name, bytes, at) VALUES (?1, ?2, ?3) ON CONFLICT (name) DO UPDATE SET bytes = ?2, at = ?3`,
        name,
        upload.bytes,
        now,
      );
      if (alarms.deadline("sweep") === null) alarms.arm("sweep", now + SWEEP_AFTER_MS);
    });
    return null;
  }

  /** Whether the session's states, with this one, still fit into its owner's storage. */
  async hasRoomFor(snapshot: SnapshotRef, head: SnapshotRef | null): Promise<boolean> {
    return this.#fits(() => storedBytes(this.#parts.sql) + addedBytes(snapshot, head));
  }

  /** In the transaction that makes it the head. */
  settle(snapshot: SnapshotRef): void {
    for (const part of storedParts(snapshot)) this.#parts.sql.exec(`DELETE FROM uploads WHERE name = ?`, nameOf(part));
  }

  /** At its deadline. Due again until it is done: it may be cut off between two pages. */
  beginSweep(): void {
    const { alarms, ctx, ledger, ports } = this.#parts;
    alarms.arm("sweep", ports.clock.now() + SWEEP_RETRY_MS);
    ledger.afterCommit(() => ctx.waitUntil(this.#sweep()));
  }

  /** Something is left in storage that nothing points at. */
  armSweep(): void {
    const { alarms, init, ledger, ports } = this.#parts;
    if (init() !== null) ledger.transact(() => alarms.arm("sweep", ports.clock.now() + SWEEP_RETRY_MS));
  }

  async #sweep(): Promise<void> {
    const { ports, init } = this.#parts;
    const known = init();
    if (known === null) return;
    const uploadedBefore = ports.clock.now() - SWEPT_AGE_MS;
    try {
      // Asked at each page: a state that was saved in between is kept, too.
      const { removed, young } = await ports.snapshots.sweep(known.sessionId, () => this.#kept(), uploadedBefore);
      await ports.storage.removeSpent(known.ownerId, ports.clock.now());
      if (removed > 0) ports.log.info("storage_swept", { sessionId: known.sessionId, removed });
      this.#endSweep(uploadedBefore, young);
    } catch (error) {
      ports.log.warn("sweep_failed", { sessionId: known.sessionId, reason: String(error) });
    }
  }

  /** Comes again as long as something may be left behind; else a session at rest has no alarm. */
  #endSweep(uploadedBefore: number, young: number): void {
    const { sql, ports, init, ledger, alarms } = this.#parts;
    if (init() === null) return;
    ledger.transact(() => {
      sql.exec(`DELETE FROM uploads WHERE at < ?`, uploadedBefore);
      const isClean = young === 0 && this.#uncommitted().parts === 0;
      alarms.armOrDisarm("sweep", isClean ? null : ports.clock.now() + SWEEP_AFTER_MS);
    });
  }

  /** Every stored part of every kept state: the head, and what a pending way back leads to, are among them. */
  #kept(): ReadonlySet<string> {
    const rows = this.#parts.sql.exec<{ ref: string }>(`SELECT ref FROM snapshots`).toArray();
    return new Set(rows.flatMap(({ ref }) => storedParts(snapshotRefSchema.parse(JSON.parse(ref))).map(nameOf)));
  }

  #uncommitted(): { parts: number; bytes: number } {
    return this.#parts.sql
      .exec<{ parts: number; bytes: number }>(`SELECT COUNT(*) AS parts, COALESCE(SUM(bytes), 0) AS bytes FROM uploads`)
      .one();
  }

  /** A "no" is never said from memory: somebody may just have made room. */
  async #fits(bytes: () => number): Promise<boolean> {
    const { ports } = this.#parts;
    const isFresh = this.#room !== null && ports.clock.now() - this.#room.at < ROOM_KEPT_MS;
    if (isFresh && this.#room !== null && (this.#room.bytes === null || bytes() <= this.#room.bytes)) return true;
    const room = await this.#readRoom();
    return room === null || bytes() <= room;
  }

  async #readRoom(): Promise<number | null> {
    const { ports, init } = this.#parts;
    const known = init();
    if (known === null) return null;
    const bytes = await ports.storage.bytesFor(known.ownerId, known.sessionId);
    this.#room = { bytes, at: ports.clock.now() };
    return bytes;
  }
}
