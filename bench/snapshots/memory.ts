/** What a save and a restore need above a runner at rest, and how long they take as programs of their own. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import path from "node:path";
import { performance } from "node:perf_hooks";
import { snapshotRefSchema, type SnapshotRef } from "@ai-dev-platform/protocol/snapshot";
import * as z from "zod";
import { forgetSaves } from "./platform.ts";
import { value } from "./report.ts";
import type { Bench } from "./rounds.ts";

const answerSchema = z.object({ addedBytes: z.number(), snapshot: snapshotRefSchema.nullable() });
const MAX_MB = 150;

async function alone(what: "save" | "restore", server: string, stateDir: string, snapshots: readonly SnapshotRef[]) {
  const from = performance.now();
  const order = JSON.stringify({ what, server, stateDir, snapshots });
  const child = fork(path.join(import.meta.dirname, "child.ts"), [order], { stdio: "inherit", execArgv: [] });
  const [[answer]] = await Promise.all([once(child, "message"), once(child, "exit")]);
  const { addedBytes, snapshot } = answerSchema.parse(answer);
  return { ms: performance.now() - from, addedMb: addedBytes / 1_000_000, snapshot };
}

export async function measureMemory({ root, store, input }: Bench, snapshot: SnapshotRef): Promise<void> {
  input.edit(10);
  const next = await alone("save", store.fast, input.stateDir, [snapshot]);
  value("save after 10 edited, with Node's start", [next.ms], "ms");
  value("memory of a save after 10 edited", [next.addedMb], "MB", { atMost: MAX_MB });
  forgetSaves(input.stateDir);
  const first = await alone("save", store.fast, input.stateDir, []);
  value("memory of a first save", [first.addedMb], "MB", { atMost: MAX_MB });
  if (first.snapshot === null) throw new Error("a first save stored nothing");
  const into = path.join(root, "restored-alone");
  const restored = await alone("restore", store.fast, into, [first.snapshot]);
  rmSync(into, { recursive: true, force: true });
  value("memory of a restore", [restored.addedMb], "MB", { atMost: MAX_MB });
  value("restore, with Node's start", [restored.ms], "ms");
}
