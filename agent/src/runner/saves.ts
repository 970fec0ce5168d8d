/**
 * Saves, one after the other (SPEC SN1–SN3, the runner's side): the workspace packs and uploads, the session decides whether
 * the result becomes the head. A commit that was not answered is asked again after a reconnect, and before the next save.
 */
import { MAIN_THREAD } from "@ai-dev-platform/protocol/ids";
import type { RunnerFrame } from "@ai-dev-platform/protocol/runner";
import { LAST_COMMIT_WAIT_MS } from "../config.ts";
import type { Log } from "../output.ts";
import { problemOf } from "./claude/outcome.ts";
import type { Workspace } from "./workspace/workspace.ts";

type CommitFrame = Extract<RunnerFrame, { type: "commit" }>;

export interface SavesPort {
  workspace: Pick<Workspace, "save" | "markCommitted" | "saveDependencies">;
  send(frame: RunnerFrame): boolean;
  /** Resolves when what the last turn led to is told, so that the save covers it. */
  settled(): Promise<void>;
  lastRseq(): number;
  /** The conversation of each thread. */
  agentSessionIds(): Record<string, string>;
  log: Log;
  commitWaitMs?: number;
}

interface PendingCommit {
  frame: CommitFrame;
  answered: (ok: boolean, code: string | undefined) => void;
}

export class Saves {
  readonly #port: SavesPort;
  #chain: Promise<void> = Promise.resolve();
  /** Files are being read. */
  #reading: Promise<unknown> | null = null;
  #pending: PendingCommit | null = null;
  /** No answer came in time: it may be the head, or become it. Nothing else is saved before that is known. */
  #unknown: CommitFrame | null = null;
  /** A save that nobody asked for and that has not begun: it covers what comes until it begins. */
  #waiting: Promise<void> | null = null;

  constructor(port: SavesPort) {
    this.#port = port;
  }

  /** Resolves when the save is accepted, refused, or given up. `isLast`: the runner is about to go. */
  save(requestId: string, asked: boolean, isLast = false): Promise<void> {
    // Several agents may end their turns while one save runs: one more save is enough for all of them.
    if (!asked && !isLast && this.#waiting !== null) return this.#waiting;
    const save = this.#chain
      .then(() => {
        if (this.#waiting === save) this.#waiting = null;
        return this.#run(requestId, asked, isLast);
      })
      .then(() => this.#keepDependencies(isLast))
      .catch((error: unknown) => this.#broke(error));
    this.#chain = save;
    if (!asked) this.#waiting = save;
    return save;
  }

  committed({ requestId, ok, code }: { requestId: string; ok: boolean; code?: string | undefined }): void {
    if (this.#pending?.frame.requestId === requestId) this.#pending.answered(ok, code);
    else if (this.#unknown?.requestId === requestId) this.#chain = this.#chain.then(() => this.#learn(requestId, ok, code));
  }

  /** A new connection: what is unanswered is asked again. */
  resend(): void {
    const frame = this.#pending?.frame ?? this.#unknown;
    if (frame !== null) this.#port.send(frame);
  }

  /** Resolves when no files are being read, or after the given time. */
  async quiet(timeoutMs: number): Promise<void> {
    if (this.#reading === null) return;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, timeoutMs)));
    await Promise.race([this.#reading.catch(() => undefined), late]);
    clearTimeout(timer);
  }

  async #run(requestId: string, asked: boolean, isLast: boolean): Promise<void> {
    const { workspace, send, log } = this.#port;
    send({ type: "progress", step: "saving", detail: "" });
    if (!(await this.#knowsHead())) {
      const problem = problemOf("unavailable", "the session has not answered the save before this one");
      send({ type: "save_skipped", reason: "failed", problem });
      return;
    }
    await this.#port.settled();
    // Everything told so far is in the files and the transcript that are read from here on.
    const throughRseq = this.#port.lastRseq();
    const agentSessionIds = this.#port.agentSessionIds();
    const saving = workspace.save({ asked, isLast });
    this.#reading = saving;
    const saved = await saving.finally(() => (this.#reading = null));
    if (!saved.ok) {
      const { reason, problem } = saved;
      log(reason === "failed" ? "warn" : "info", "save_skipped", { reason, detail: problem?.detail });
      send({ type: "save_skipped", reason, ...(problem === undefined ? {} : { problem }) });
      return;
    }
    const { snapshot } = saved;
    const { [MAIN_THREAD]: agentSessionId = null, ...others } = agentSessionIds;
    const conversations = Object.keys(others).length === 0 ? { agentSessionId } : { agentSessionId, agentSessionIds };
    await this.#settle({ type: "commit", requestId, snapshot, ...conversations, throughRseq, asked });
  }

  /** Whether the commit before was answered, perhaps only now. Without that a save would stand on a head that may be gone. */
  async #knowsHead(): Promise<boolean> {
    if (this.#unknown !== null) await this.#settle(this.#unknown);
    return this.#unknown === null;
  }

  async #settle(frame: CommitFrame): Promise<void> {
    const answer = await this.#commit(frame);
    this.#unknown = frame;
    if (answer !== null) await this.#learn(frame.requestId, answer.ok, answer.code);
    else this.#port.log("warn", "commit_unanswered", {});
  }

  async #learn(requestId: string, ok: boolean, code: string | undefined): Promise<void> {
    if (this.#unknown?.requestId !== requestId) return;
    const { snapshotId } = this.#unknown.snapshot;
    this.#unknown = null;
    if (ok) await this.#port.workspace.markCommitted(snapshotId);
    else this.#port.log("warn", "commit_refused", { code });
  }

  /** Null when no answer came in time. */
  /** Nobody waits for it. Its result is named by the next save. */
  #keepDependencies(isLast: boolean): void {
    if (isLast) return;
    this.#port.workspace.saveDependencies().catch((error: unknown) => {
      this.#port.log("warn", "dependencies_not_saved", { detail: error instanceof Error ? error.message : String(error) });
    });
  }

  #commit(frame: CommitFrame): Promise<{ ok: boolean; code: string | undefined } | null> {
    return new Promise((resolve) => {
      const settle = (answer: { ok: boolean; code: string | undefined } | null): void => {
        clearTimeout(timer);
        this.#pending = null;
        resolve(answer);
      };
      const timer = setTimeout(() => settle(null), this.#port.commitWaitMs ?? LAST_COMMIT_WAIT_MS);
      this.#pending = { frame, answered: (ok, code) => settle({ ok, code }) };
      this.#port.send(frame);
    });
  }

  #broke(error: unknown): void {
    const detail = error instanceof Error ? error.message : String(error);
    this.#port.log("error", "save_broke", { detail });
    this.#port.send({ type: "save_skipped", reason: "failed", problem: problemOf("internal", detail) });
  }
}
