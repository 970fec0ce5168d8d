/** A session that goes on from another's saved state (SPEC SN7): what the source hands out, and how the new one begins. */
import type { SessionApi, SessionInit } from "./api.ts";
import { findSnapshot } from "./rewind.ts";
import type { SessionParts } from "./parts.ts";
import { headOf, storeSnapshot } from "./saves.ts";

type Handed = Awaited<ReturnType<SessionApi["savedState"]>>;

/** `snapshotId` null: the newest. */
export function handOut({ sql, init, ledger }: SessionParts, snapshotId: string | null): Handed {
  const known = init();
  const wanted = snapshotId ?? headOf(sql)?.snapshotId ?? null;
  const found = wanted === null ? null : findSnapshot(sql, wanted);
  if (known === null || found === null) return { ok: false, code: "not_found" };
  // When the source would delete itself is no concern of what is made of it.
  const { disposeAt: _, ...asked } = known;
  const { title, mode, model, lifecycle, network, maxHours, budgetUsd } = ledger.state;
  const { ref: snapshot, throughSeq, conversations, label } = found;
  return {
    ok: true,
    init: { ...asked, title, mode, model, lifecycle, network, maxHours, budgetUsd, prompt: null },
    fork: { sessionId: known.sessionId, title, throughSeq, snapshot, conversations, label },
  };
}

/** The first thing after its creation: its files and conversations are those of another. */
export function beginFork({ sql, ledger }: SessionParts, fork: NonNullable<SessionInit["fork"]>): void {
  const { sessionId, title, throughSeq, snapshot, conversations, label } = fork;
  const { snapshotId, treeFiles } = snapshot;
  const { seq } = ledger.append({ event: { type: "forked", sessionId, title, toSeq: throughSeq, snapshotId, treeFiles } });
  storeSnapshot(sql, { snapshot, seq, throughSeq: seq, conversations, label });
  for (const [thread, id] of Object.entries(conversations))
    sql.exec(`INSERT INTO agent_sessions (thread, agent_session_id) VALUES (?, ?)`, thread, id);
}
