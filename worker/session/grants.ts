/**
 * Who may do what, and the tickets that open a socket (SPEC RO1, RO2). Owns `grants` and `tickets`. In storage only, so
 * that a revocation holds for the very next frame, awake or hibernated. A revoked grant stays revoked.
 */
import { TICKET_TTL_MS } from "@ai-dev-platform/protocol/limits";
import { ROLES, type Role } from "@ai-dev-platform/protocol/roles";
import type { TicketRequest } from "./api.ts";

export interface TicketHolder {
  grantId: string;
  userId: string | null;
  name: string;
}

const roleOf = (text: string): Role => ROLES.find((role) => role === text) ?? "viewer";

/** The grant's role now, or null when it is unknown, revoked or expired. */
export function roleOfGrant(sql: SqlStorage, grantId: string, now: number): Role | null {
  const row = sql
    .exec<{ role: string }>(
      `SELECT role FROM grants WHERE grant_id = ? AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?)`,
      grantId,
      now,
    )
    .toArray()[0];
  return row === undefined ? null : roleOf(row.role);
}

/** False when the grant was revoked before, or is expired. */
export function addTicket(sql: SqlStorage, ticketHash: string, request: TicketRequest, now: number): boolean {
  sql.exec(
    `INSERT INTO grants (grant_id, role, expires_at) VALUES (?1, ?2, ?3) ON CONFLICT (grant_id) DO UPDATE SET role = ?2, expires_at = ?3`,
    request.grantId,
    request.role,
    request.grantExpiresAt,
  );
  if (roleOfGrant(sql, request.grantId, now) === null) return false;
  sql.exec(`DELETE FROM tickets WHERE expires_at <= ?`, now);
  sql.exec(
    `INSERT INTO tickets (ticket_hash, grant_id, user_id, name, expires_at) VALUES (?, ?, ?, ?, ?)`,
    ticketHash,
    request.grantId,
    request.userId,
    request.name,
    now + TICKET_TTL_MS,
  );
  return true;
}

/** Takes the ticket out of storage: it opens one socket. */
export function redeemTicket(sql: SqlStorage, ticketHash: string, now: number): TicketHolder | null {
  const row = sql
    .exec<{ grant_id: string; user_id: string | null; name: string; expires_at: number }>(
      `DELETE FROM tickets WHERE ticket_hash = ? RETURNING grant_id, user_id, name, expires_at`,
      ticketHash,
    )
    .toArray()[0];
  if (row === undefined || row.expires_at <= now) return null;
  return { grantId: row.grant_id, userId: row.user_id, name: row.name };
}

export function revokeGrant(sql: SqlStorage, grantId: string, now: number): void {
  sql.exec(
    `INSERT INTO grants (grant_id, role, expires_at, revoked_at) VALUES (?1, 'viewer', NULL, ?2) ON CONFLICT (grant_id) DO UPDATE SET revoked_at = ?2`,
    grantId,
    now,
  );
  sql.exec(`DELETE FROM tickets WHERE grant_id = ?`, grantId);
}

/** A grant that was never used may be revoked too. */
export const isRevoked = (sql: SqlStorage, grantId: string): boolean =>
  sql.exec(`SELECT 1 AS one FROM grants WHERE grant_id = ? AND revoked_at IS NOT NULL`, grantId).toArray().length > 0;

/** When the next of these grants expires; null when none does. */
export function nextExpiry(sql: SqlStorage, grantIds: readonly string[], now: number): number | null {
  let earliest: number | null = null;
  for (const grantId of grantIds) {
    const row = sql
      .exec<{ expires_at: number | null }>(`SELECT expires_at FROM grants WHERE grant_id = ? AND revoked_at IS NULL`, grantId)
      .toArray()[0];
    const at = row?.expires_at ?? null;
    if (at !== null && at > now && (earliest === null || at < earliest)) earliest = at;
  }
  return earliest;
}
