/**
 * The workspace as the runner sees it from outside: every call goes to the files process and comes back checked. Owns that
 * process; when it ends, the runner cannot go on and is told so once.
 */
import { spawn, type ChildProcess } from "node:child_process";
import type * as z from "zod";
import type { OpenWorkspace, Workspace, WorkspaceOptions } from "../runner/workspace/workspace.ts";
import { ANSWERS, messageSchema, type Call } from "./files-messages.ts";

export interface FilesProcess {
  /** The program and its arguments, rights given up first. */
  command: readonly [string, ...string[]];
  environment: Record<string, string>;
  /** Where the workspace and the agent's own folder lie. */
  stateDir: string;
  /** In place of the runner's own: that process is within the agent's reach. */
  token: string;
  onGone: (detail: string) => void;
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

class FilesClient {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  #onProgress: WorkspaceOptions["onProgress"] = () => {};
  #lastId = 0;
  #isGone = false;

  constructor({ command, environment, stateDir, onGone }: FilesProcess) {
    const [program, ...args] = command;
    const child = spawn(program, args, { cwd: stateDir, env: environment, stdio: ["ignore", "inherit", "inherit", "ipc"] });
    this.#child = child;
    child.on("message", (raw) => this.#onMessage(raw));
    const gone = (detail: string): void => {
      if (this.#isGone) return;
      this.#isGone = true;
      for (const { reject } of this.#waiting.values()) reject(new Error(detail));
      this.#waiting.clear();
      onGone(detail);
    };
    child.once("error", (error) => gone(error.message));
    child.once("exit", (code, signal) => gone(`The files process ended (${signal ?? code}).`));
  }

  get pid(): number | null {
    return this.#child.pid ?? null;
  }

  listen(onProgress: WorkspaceOptions["onProgress"]): void {
    this.#onProgress = onProgress;
  }

  async call<Answer>(call: Call, answer: z.ZodType<Answer>): Promise<Answer> {
    if (this.#isGone) throw new Error("The files process has ended.");
    const id = (this.#lastId += 1);
    const value = await new Promise<unknown>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#child.send({ id, call }, (error) => error !== null && reject(error));
    });
    return answer.parse(value);
  }

  #onMessage(raw: unknown): void {
    const parsed = messageSchema.safeParse(raw);
    if (!parsed.success) return;
    const message = parsed.data;
    if (message.type === "progress") {
      this.#onProgress(message.step, message.detail);
      return;
    }
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.type === "done") waiting?.resolve(message.value);
    else waiting?.reject(new Error(message.detail));
  }
}

export interface Files {
  pid: number | null;
  open(options: WorkspaceOptions): Promise<OpenWorkspace>;
}

/** Starts the files process at once, beside the dial; the workspace is opened when the session has said which one. */
export function startFiles(files: FilesProcess): Files {
  const client = new FilesClient(files);
  return {
    pid: client.pid,
    open(options) {
      client.listen(options.onProgress);
      return openWorkspace(client, files, options);
    },
  };
}

async function openWorkspace(client: FilesClient, files: FilesProcess, options: WorkspaceOptions): Promise<OpenWorkspace> {
  const { server, sessionId, source } = options;
  const { stateDir, token: linkToken } = files;
  const snapshots = [...options.snapshots];
  const opened = await client.call({ name: "open", server, linkToken, sessionId, source, stateDir, snapshots }, ANSWERS.open);
  if (!opened.ok) return opened;
  const workspace: Workspace = {
    root: opened.root,
    claudeDir: opened.claudeDir,
    isRestored: opened.isRestored,
    warning: opened.warning,
    answer: (query) => client.call({ name: "answer", query }, ANSWERS.answer),
    changedFiles: () => client.call({ name: "changedFiles" }, ANSWERS.changedFiles),
    hasChangedSinceSave: () => client.call({ name: "hasChangedSinceSave" }, ANSWERS.hasChangedSinceSave),
    save: ({ asked, isLast = false }) => client.call({ name: "save", asked, isLast }, ANSWERS.save),
    async markCommitted(snapshotId) {
      await client.call({ name: "markCommitted", snapshotId }, ANSWERS.markCommitted);
    },
    async saveDependencies() {
      await client.call({ name: "saveDependencies" }, ANSWERS.saveDependencies);
    },
    restoreDependencies: () => client.call({ name: "restoreDependencies" }, ANSWERS.restoreDependencies),
    beginExecution: (executionId, sent) => client.call({ name: "beginExecution", executionId, files: { ...sent } }, ANSWERS.beginExecution),
    endExecution: (executionId) => client.call({ name: "endExecution", executionId }, ANSWERS.endExecution),
  };
  return { ok: true, workspace };
}
