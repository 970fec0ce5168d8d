/**
 * Saves, one after the other (SPEC SN1–SN3, the runner's side): the workspace packs and uploads, the session decides whether
 * the result becomes the head. A commit that was not answered is asked again after a reconnect.
 */
import type { RunnerFrame } from "@ai-dev-platform/protocol/runner";
import { LAST_COMMIT_WAIT_MS } from "../config.ts";
import type { Log } from "../output.ts";
import { problemOf } from "./claude/outcome.ts";
import type { Workspace } from "./workspace/workspace.ts";

type CommitFrame = Extract<RunnerFrame, { type: "commit" }>;

export interface SavesPort {
  workspace: Pick<Workspace, "save" | "markCommitted">;
  send(frame: RunnerFrame): boolean;
  lastRseq(): number;
  agentSessionId(): string | null;
  log: Log;
  commitWaitMs?: number;
}

export interface Saves {
  /** Resolves when the save is accepted, refused, or given up. */
  save(requestId: string, asked: boolean): Promise<void>;
  committed(answer: { requestId: string; ok: boolean; code?: string | undefined }): void;
  /** A new connection: what is unanswered is asked again. */
  resend(): void;
  /** Resolves when no files are being read, or after the given time. */
  quiet(timeoutMs: number): Promise<void>;
}

export function createSaves(port: SavesPort): Saves {
  let chain: Promise<void> = Promise.resolve();
  let reading: Promise<unknown> | null = null;
  let pending: { frame: CommitFrame; answered: (ok: boolean, code: string | undefined) => void } | null = null;

  const commit = (frame: CommitFrame): Promise<{ ok: boolean; code: string | undefined }> =>
    new Promise((resolve) => {
      const finish = (ok: boolean, code: string | undefined): void => {
        clearTimeout(timer);
        pending = null;
        resolve({ ok, code });
      };
      const timer = setTimeout(() => finish(false, "no answer"), port.commitWaitMs ?? LAST_COMMIT_WAIT_MS);
      pending = { frame, answered: finish };
      port.send(frame);
    });

  const run = async (requestId: string, asked: boolean): Promise<void> => {
    port.send({ type: "progress", step: "saving", detail: "" });
    // Everything told so far is in the files and the transcript that are read from here on.
    const throughRseq = port.lastRseq();
    const agentSessionId = port.agentSessionId();
    const saving = port.workspace.save({ asked });
    reading = saving;
    const saved = await saving.finally(() => (reading = null));
    if (!saved.ok) {
      port.log(saved.reason === "failed" ? "warn" : "info", "save_skipped", { reason: saved.reason, detail: saved.problem?.detail });
      port.send({ type: "save_skipped", reason: saved.reason, ...(saved.problem === undefined ? {} : { problem: saved.problem }) });
      return;
    }
    const { ok, code } = await commit({ type: "commit", requestId, snapshot: saved.snapshot, agentSessionId, throughRseq, asked });
    if (ok) await port.workspace.markCommitted(saved.snapshot.snapshotId);
    else port.log("warn", "commit_refused", { code });
  };

  const guarded = async (requestId: string, asked: boolean): Promise<void> => {
    try {
      await run(requestId, asked);
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      port.log("error", "save_broke", { detail });
      port.send({ type: "save_skipped", reason: "failed", problem: problemOf("internal", detail) });
    }
  };

  return {
    save(requestId, asked) {
      chain = chain.then(() => guarded(requestId, asked));
      return chain;
    },
    committed({ requestId, ok, code }) {
      if (pending?.frame.requestId === requestId) pending.answered(ok, code);
    },
    resend() {
      if (pending !== null) port.send(pending.frame);
    },
    async quiet(timeoutMs) {
      if (reading === null) return;
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, timeoutMs)));
      await Promise.race([reading.then(() => undefined, () => undefined), late]);
      clearTimeout(timer);
    },
  };
}
