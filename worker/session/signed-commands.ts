/**
 * What a person's own machine asks for beside prompts and answers: signatures of the mode and commands for the machine alone
 * (SPEC SG). Owns the column `mode_signature` and the table `machine_commands`. Nothing here is judged: the machine does
 * that. A command is given at each start of a runner's link until it expires, as nobody says that it arrived; a machine that
 * took it knows it by its nonce.
 */
import type { ErrorCode } from "@ai-dev-platform/protocol/errors";
import { MAX_SIGNATURE_TTL_MS } from "@ai-dev-platform/protocol/limits";
import { commandSignatureSchema, machineCommandSchema, type CommandSignature } from "@ai-dev-platform/protocol/signing";
import type { ViewerFrame } from "@ai-dev-platform/protocol/viewer";
import type { SessionParts } from "./parts.ts";

/** More that wait for one machine are a sign of a loop. */
const MAX_MACHINE_COMMANDS = 50;

type MachineCommandFrame = Extract<ViewerFrame, { type: "machine_command" }>;
type Outcome = { ok: true } | { ok: false; code: ErrorCode };

export const signedOf = ({ signature }: { signature?: CommandSignature | undefined }): { signature?: CommandSignature } =>
  signature === undefined ? {} : { signature };

export function keepModeSignature(sql: SqlStorage, signature: CommandSignature | undefined): void {
  sql.exec(`UPDATE session SET mode_signature = ?`, signature === undefined ? null : JSON.stringify(signature));
}

export function modeSignature(sql: SqlStorage): { modeSignature?: CommandSignature } {
  const stored = sql.exec<{ mode_signature: string | null }>(`SELECT mode_signature FROM session`).toArray()[0]?.mode_signature ?? null;
  return stored === null ? {} : { modeSignature: commandSignatureSchema.parse(JSON.parse(stored)) };
}

export function keepMachineCommand({ sql, ledger, link, ports }: SessionParts, frame: MachineCommandFrame): Outcome {
  const { requestId, command, signature } = frame;
  if (!ledger.state.needsSignature) return { ok: false, code: "bad_request" };
  const now = ports.clock.now();
  const known = sql.exec(`SELECT 1 AS one FROM machine_commands WHERE nonce = ?`, signature.nonce).toArray().length > 0;
  if (known) return { ok: true };
  sql.exec(`DELETE FROM machine_commands WHERE expires_at < ?`, now);
  const { waiting } = sql.exec<{ waiting: number }>(`SELECT COUNT(*) AS waiting FROM machine_commands`).one();
  if (waiting >= MAX_MACHINE_COMMANDS) return { ok: false, code: "rate_limited" };
  sql.exec(
    `INSERT INTO machine_commands (nonce, request_id, command, signature, expires_at) VALUES (?, ?, ?, ?, ?)`,
    signature.nonce,
    requestId,
    JSON.stringify(command),
    JSON.stringify(signature),
    Math.min(signature.expiresAt, now + MAX_SIGNATURE_TTL_MS),
  );
  ledger.afterCommit(() => void link.send({ type: "machine_command", command, signature }));
  return { ok: true };
}

/** The runner serves: it hears everything that has not expired, in the order of its signing. */
export function tellMachineCommands({ sql, link, ports }: SessionParts): void {
  const rows = sql
    .exec<{ command: string; signature: string }>(
      `SELECT command, signature FROM machine_commands WHERE expires_at >= ? ORDER BY rowid`,
      ports.clock.now(),
    )
    .toArray();
  for (const row of rows) {
    const command = machineCommandSchema.parse(JSON.parse(row.command));
    link.send({ type: "machine_command", command, signature: commandSignatureSchema.parse(JSON.parse(row.signature)) });
  }
}
