/**
 * Installed dependencies on their way back while the agent is up (SPEC SN9): its commands wait for them, but not for ever,
 * and whoever has to install something again is told. Knows neither how they are stored nor the agent.
 */
import type { RunnerEvent } from "@ai-dev-platform/protocol/events";
import type { RunnerFrame } from "@ai-dev-platform/protocol/runner";
import type { Log } from "../output.ts";
import type { Workspace } from "./workspace/workspace.ts";

export interface DependenciesPort {
  workspace: Pick<Workspace, "restoreDependencies">;
  send(frame: RunnerFrame): boolean;
  emit(event: RunnerEvent): void;
  log: Log;
  /** How long a command waits at most. */
  holdMs: number;
}

const UNDER_WAY =
  "The installed dependencies of this project are still being restored in the background. If a package seems to be missing, wait a moment and try again before installing anything.";

export class Dependencies {
  readonly #port: DependenciesPort;
  #restoring: Promise<void> | null = null;
  /** For the agent, once. */
  #news: string | null = null;

  constructor(port: DependenciesPort) {
    this.#port = port;
  }

  /** Begins to bring back what there is. */
  restore(): void {
    this.#restoring = this.#restore().finally(() => (this.#restoring = null));
  }

  /** Resolves when a command may run, with what the agent should know. */
  async beforeCommand(): Promise<string | null> {
    if (this.#restoring !== null && !(await endsWithin(this.#restoring, this.#port.holdMs))) return UNDER_WAY;
    const news = this.#news;
    this.#news = null;
    return news;
  }

  /** Resolves when a program that is no agent's may run. */
  async settled(): Promise<void> {
    if (this.#restoring !== null) await endsWithin(this.#restoring, this.#port.holdMs);
  }

  async #restore(): Promise<void> {
    const { workspace, send, emit, log } = this.#port;
    try {
      const { restored, missing } = await workspace.restoreDependencies();
      // What is shown as under way is over.
      if (restored + missing.length > 0) send({ type: "progress", step: "agent", detail: "" });
      if (missing.length === 0) return;
      const folders = missing.map(({ path }) => path).join(", ");
      log("warn", "dependencies_missing", { folders, detail: missing[0]?.detail });
      this.#news = `The installed dependencies in ${folders} could not be restored. Install them again before you need them.`;
      emit({
        type: "notice",
        level: "warning",
        text: `Dependencies have to be installed again (${folders}): ${missing[0]?.detail ?? ""}.`,
      });
    } catch (error) {
      log("warn", "dependencies_broke", { detail: error instanceof Error ? error.message : String(error) });
    }
  }
}

async function endsWithin(work: Promise<void>, timeoutMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => (timer = setTimeout(() => resolve(false), timeoutMs)));
  const ended = await Promise.race([work.then(() => true), late]);
  clearTimeout(timer);
  return ended;
}
