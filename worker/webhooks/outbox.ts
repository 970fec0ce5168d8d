/**
 * What waits to be delivered, in SQLite: messages by address, and how each address does. A message leaves only when its
 * delivery was recorded, so what breaks off between sending and recording is sent again under the same id. SPEC WH3, WH4.
 */
import * as z from "zod";
import type { AddressHistory, DeliveryHistory } from "./retry.ts";

/** Waiting for one address; the oldest make room. */
export const MAX_WAITING = 1_000;
/** Ids are remembered this long after they were told; a session that tells again does so much sooner. */
const REMEMBERED_MS = 7 * 24 * 3_600_000;

export interface Message {
  id: string;
  body: string;
}
export interface Delivery extends DeliveryHistory, Message {
  n: number;
  webhookId: string;
}
export interface AddressRow extends AddressHistory {
  webhookId: string;
  isOff: boolean;
  lastAttempt: { at: number; status: number | null; error: string | null } | null;
  waiting: number;
}

const deliverySchema = z
  .object({ n: z.number(), webhook_id: z.string(), message_id: z.string(), body: z.string(), created_at: z.number(), attempts: z.number() })
  .transform((row): Delivery => ({
    n: row.n,
    webhookId: row.webhook_id,
    id: row.message_id,
    body: row.body,
    createdAt: row.created_at,
    attempts: row.attempts,
  }));
const addressSchema = z
  .object({
    webhook_id: z.string(),
    failures: z.number(),
    failing_since: z.number().nullable(),
    is_off: z.number(),
    last_at: z.number().nullable(),
    last_status: z.number().nullable(),
    last_error: z.string().nullable(),
    waiting: z.number(),
  })
  .transform((row): AddressRow => ({
    webhookId: row.webhook_id,
    failures: row.failures,
    failingSince: row.failing_since,
    isOff: row.is_off !== 0,
    lastAttempt: row.last_at === null ? null : { at: row.last_at, status: row.last_status, error: row.last_error },
    waiting: row.waiting,
  }));
const nextSchema = z.object({ at: z.number().nullable() });
const ownerSchema = z.object({ user_id: z.string() });

const TABLES = [
  "CREATE TABLE IF NOT EXISTS owner (one INTEGER PRIMARY KEY CHECK (one = 1), user_id TEXT NOT NULL) STRICT",
  `CREATE TABLE IF NOT EXISTS addresses (webhook_id TEXT PRIMARY KEY, failures INTEGER NOT NULL DEFAULT 0, failing_since INTEGER,
     paused_until INTEGER NOT NULL DEFAULT 0, is_off INTEGER NOT NULL DEFAULT 0, last_at INTEGER, last_status INTEGER, last_error TEXT) STRICT`,
  `CREATE TABLE IF NOT EXISTS outbox (n INTEGER PRIMARY KEY AUTOINCREMENT, webhook_id TEXT NOT NULL, message_id TEXT NOT NULL, body TEXT NOT NULL,
     created_at INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, due_at INTEGER NOT NULL) STRICT`,
  "CREATE INDEX IF NOT EXISTS outbox_due ON outbox (webhook_id, due_at)",
  "CREATE TABLE IF NOT EXISTS told (message_id TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID",
  "CREATE INDEX IF NOT EXISTS told_at ON told (at)",
];

export class Outbox {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    for (const table of TABLES) sql.exec(table);
  }

  keepOwner(userId: string): void {
    this.#sql.exec("INSERT INTO owner (one, user_id) VALUES (1, ?) ON CONFLICT DO NOTHING", userId);
  }

  owner(): string | null {
    const [row] = this.#sql.exec("SELECT user_id FROM owner").toArray();
    return row === undefined ? null : ownerSchema.parse(row).user_id;
  }

  /** False when it was told before. */
  remember(messageId: string, now: number): boolean {
    this.#sql.exec("DELETE FROM told WHERE at < ?", now - REMEMBERED_MS);
    return this.#sql.exec("INSERT INTO told (message_id, at) VALUES (?, ?) ON CONFLICT DO NOTHING", messageId, now).rowsWritten > 0;
  }

  keepAddress(webhookId: string): void {
    this.#sql.exec("INSERT INTO addresses (webhook_id) VALUES (?) ON CONFLICT DO NOTHING", webhookId);
  }

  /** True when an older one had to make room. */
  add(webhookId: string, message: Message, now: number): boolean {
    this.#sql.exec(
      "INSERT INTO outbox (webhook_id, message_id, body, created_at, due_at) VALUES (?, ?, ?, ?, ?)",
      webhookId,
      message.id,
      message.body,
      now,
      now,
    );
    const oldest = "SELECT n FROM outbox WHERE webhook_id = ?1 ORDER BY n DESC LIMIT 1 OFFSET ?2";
    return this.#sql.exec(`DELETE FROM outbox WHERE webhook_id = ?1 AND n <= (${oldest})`, webhookId, MAX_WAITING).rowsWritten > 0;
  }

  address(webhookId: string): AddressRow | null {
    return this.addresses().find((row) => row.webhookId === webhookId) ?? null;
  }

  addresses(): AddressRow[] {
    const counted =
      "SELECT addresses.*, (SELECT count(*) FROM outbox WHERE outbox.webhook_id = addresses.webhook_id) AS waiting FROM addresses";
    return this.#sql
      .exec(counted)
      .toArray()
      .map((row) => addressSchema.parse(row));
  }

  /** What may go now: the oldest first, at most `perAddress` of each address, one where it has been failing; without what is on its way. */
  due(now: number, perAddress: number, underWay: ReadonlyMap<number, string>): Delivery[] {
    const found: Delivery[] = [];
    const open = this.#sql.exec("SELECT webhook_id, failures FROM addresses WHERE is_off = 0 AND paused_until <= ?", now).toArray();
    for (const { webhook_id: webhookId, failures } of open) {
      const busy = [...underWay.values()].filter((other) => other === webhookId).length;
      const room = (failures === 0 ? perAddress : 1) - busy;
      if (room <= 0) continue;
      const rows = this.#sql
        .exec("SELECT * FROM outbox WHERE webhook_id = ? AND due_at <= ? ORDER BY due_at, n LIMIT ?", webhookId, now, perAddress + busy)
        .toArray();
      found.push(
        ...rows
          .map((row) => deliverySchema.parse(row))
          .filter(({ n }) => !underWay.has(n))
          .slice(0, room),
      );
    }
    return found.sort((a, b) => a.n - b.n);
  }

  /** When the next may go; null: nothing waits. */
  nextAt(): number | null {
    const [row] = this.#sql
      .exec(
        `SELECT min(max(outbox.due_at, addresses.paused_until)) AS at FROM outbox
           JOIN addresses ON addresses.webhook_id = outbox.webhook_id WHERE addresses.is_off = 0`,
      )
      .toArray();
    return nextSchema.parse(row).at;
  }

  isWaiting(n: number): boolean {
    return this.#sql.exec("SELECT 1 FROM outbox WHERE n = ?", n).toArray().length > 0;
  }

  remove(n: number): void {
    this.#sql.exec("DELETE FROM outbox WHERE n = ?", n);
  }

  postpone(n: number, dueAt: number, isCounted: boolean): void {
    this.#sql.exec("UPDATE outbox SET due_at = ?, attempts = attempts + ? WHERE n = ?", dueAt, isCounted ? 1 : 0, n);
  }

  noteAttempt(webhookId: string, attempt: { at: number; status: number | null; error: string | null }): void {
    this.#sql.exec(
      "UPDATE addresses SET last_at = ?, last_status = ?, last_error = ? WHERE webhook_id = ?",
      attempt.at,
      attempt.status,
      attempt.error,
      webhookId,
    );
  }

  /** It takes messages: whatever it failed before is forgotten, and it is on again. */
  noteWorks(webhookId: string): void {
    this.#sql.exec("UPDATE addresses SET failures = 0, failing_since = NULL, paused_until = 0, is_off = 0 WHERE webhook_id = ?", webhookId);
  }

  noteFails(webhookId: string, failures: number, now: number, pausedUntil: number): void {
    this.#sql.exec(
      "UPDATE addresses SET failures = ?, failing_since = coalesce(failing_since, ?), paused_until = ? WHERE webhook_id = ?",
      failures,
      now,
      pausedUntil,
      webhookId,
    );
  }

  /** Nothing more goes there, and nothing waits for it. */
  switchOff(webhookId: string): void {
    this.#sql.exec("UPDATE addresses SET is_off = 1 WHERE webhook_id = ?", webhookId);
    this.#sql.exec("DELETE FROM outbox WHERE webhook_id = ?", webhookId);
  }

  forget(webhookId: string): void {
    this.#sql.exec("DELETE FROM outbox WHERE webhook_id = ?", webhookId);
    this.#sql.exec("DELETE FROM addresses WHERE webhook_id = ?", webhookId);
  }
}
