/** Saved states in the Worker's storage, as the agent's own code wrote them (tests/support/node/saved-packs.ts). */
import { env } from "cloudflare:workers";
import { storedParts, type SnapshotRef } from "@ai-dev-platform/protocol/snapshot";
import { partName } from "../../../worker/snapshots/names.ts";
import { putPart } from "../../../worker/snapshots/store.ts";
import type { DiskEntry, Edit } from "../saved-history.ts";
import { freshId, type FakeRunner } from "./session-fakes.ts";

export interface SavedState {
  ref: SnapshotRef;
  disk: Record<string, DiskEntry>;
}

export const write = (path: string, text: string, mode?: number): Edit => ({
  do: "write",
  path,
  text,
  ...(mode === undefined ? {} : { mode }),
});

/** Each round of edits, saved on top of the one before and stored for this session. */
export async function saveHistory(sessionId: string, rounds: Edit[][]): Promise<SavedState[]> {
  const snapshotIds = rounds.map(() => freshId("snapshot"));
  const response = await fetch("http://packs.test/", { method: "POST", body: JSON.stringify({ snapshotIds, rounds }) });
  const { states, packs } = await response.json<{ states: SavedState[]; packs: Record<string, string> }>();
  const stored = new Map(states.flatMap(({ ref }) => storedParts(ref)).map((part) => [`${part.snapshotId}/${part.part}`, part]));
  for (const [name, part] of stored) {
    const bytes = Uint8Array.from(atob(packs[name] ?? ""), (letter) => letter.charCodeAt(0));
    const put = await putPart(env.BUCKET, partName(sessionId, part.snapshotId, part.part), part, new Blob([bytes]).stream());
    if (put !== "stored") throw new Error(`${name}: ${put}`);
  }
  return states;
}

export async function commitState(runner: FakeRunner, snapshot: SnapshotRef): Promise<void> {
  const requestId = freshId("request");
  runner.send({ type: "commit", requestId, snapshot, agentSessionId: "conversation", throughRseq: runner.rseq, asked: false });
  const { ok, code } = await runner.until("committed", (frame) => frame.requestId === requestId);
  if (!ok) throw new Error(`not committed: ${code}`);
}
