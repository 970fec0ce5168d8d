/**
 * A runner reduced to its files: opens a workspace, edits, saves, asks for the commit; and dies when it was told to.
 * argv: server, state folder, seed, call to die at, how. What it has in place and wants committed, it tells the server.
 */
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { setUpDeath, type Death } from "./killing-calls.ts";

const [server = "", stateDir = "", seed = "1", atCall = "0", when = "before"] = process.argv.slice(2);
const death = setUpDeath({ atCall: Number(atCall), when: when as Death["when"] });
const { openWorkspace } = await import("../../agent/src/runner/workspace/workspace.ts");
const { applyEdit, describeTree, editArbitrary, without } = await import("./random-trees.ts");

const ROUNDS = 3;
const post = async (path: string, body: unknown): Promise<unknown> => {
  const response = await fetch(new URL(path, server), { method: "POST", body: Buffer.from(JSON.stringify(body)) });
  return response.json();
};

const offered = (await post("/offer", {})) as never[];
death.arm();
const opened = await openWorkspace({
  server,
  linkToken: "link",
  sessionId: `ses_${"a".repeat(26)}`,
  stateDir,
  source: { kind: "empty" },
  snapshots: offered,
  allowedPaths: [],
  retryPauseMs: 1,
  onProgress: () => undefined,
});
if (!opened.ok) throw new Error(`${opened.problem.code}: ${opened.problem.detail ?? ""}`);
const { workspace } = opened;
death.disarm();
await post("/opened", { tree: Object.entries(describeTree(workspace.root)) });

const rounds = fc.sample(fc.array(editArbitrary, { minLength: 2, maxLength: 8 }), { seed: Number(seed), numRuns: ROUNDS });
for (const edits of rounds) {
  for (const edit of edits) await applyEdit(workspace.root, edit);
  death.arm();
  const saved = await workspace.save({ asked: true });
  death.disarm();
  if (!saved.ok && saved.reason === "failed") throw new Error(`the save failed: ${saved.problem?.detail ?? ""}`);
  if (!saved.ok) continue;
  const tree = Object.entries(without(describeTree(workspace.root), saved.snapshot.leftOut));
  death.arm();
  const answer = (await post("/commit", { snapshot: saved.snapshot, tree })) as { ok: boolean; code?: string };
  if (!answer.ok) throw new Error(`the commit was refused: ${answer.code ?? ""}`);
  await workspace.markCommitted(saved.snapshot.snapshotId);
  death.disarm();
}
await post("/done", { calls: death.calls() });
