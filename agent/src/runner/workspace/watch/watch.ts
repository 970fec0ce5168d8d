/**
 * Notices that files of the workspace changed, whoever changed them, and has somebody look (SPEC MA12). By the system's
 * notifications while the tree is small enough for them, else by looking from time to time. Owns the watches and the
 * timing; what changed, and whether it is news, is the caller's. Idle, it costs nothing.
 */
import { watch as watchTree, type FSWatcher } from "chokidar";
import type { Log } from "../../../output.ts";
import type { Tree } from "../origin.ts";
import { countFolders, scopeOf, type Scope } from "./scope.ts";
import { changed, looked, looking, nextLookAt, QUIET } from "./timing.ts";

/** Folders watched; many systems allow a user 8,192 watches in all. */
const MAX_FOLDERS = 2_000;
/** Without notifications; a large tree's look takes seconds, and its rest grows with them. */
const POLL_INTERVAL_MS = 15_000;

const TOO_MANY = "too many folders";

export interface WatchOptions {
  tree: Tree;
  /** Something may have changed. Never called twice at once. */
  look(): Promise<void>;
  /** It is looked at from time to time only. */
  onPolling(): void;
  log: Log;
  maxFolders?: number;
  pollIntervalMs?: number;
  restMs?: number;
}

export interface Watch {
  stop(): Promise<void>;
}

/** Returns at once; the watching begins in the background. */
export function startWatch(options: WatchOptions): Watch {
  const watch = new TreeWatch(options);
  void watch.begin();
  return { stop: () => watch.stop() };
}

class TreeWatch {
  readonly #options: WatchOptions;
  #watcher: FSWatcher | null = null;
  #timing = QUIET;
  #timer: NodeJS.Timeout | undefined;
  #isLooking = false;
  #isStopped = false;
  #isPolling = false;
  #folders = 0;
  #scope: Scope | null = null;

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  async begin(): Promise<void> {
    try {
      const scope = await scopeOf(this.#options.tree);
      this.#scope = scope;
      this.#folders = await countFolders(this.#options.tree, scope, this.#maxFolders);
      if (this.#isStopped) return;
      if (this.#folders > this.#maxFolders) this.#poll(TOO_MANY);
      else this.#watch();
    } catch (error) {
      this.#poll(error instanceof Error ? error.message : String(error));
    }
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#watcher?.close();
    this.#watcher = null;
  }

  get #maxFolders(): number {
    return this.#options.maxFolders ?? MAX_FOLDERS;
  }

  #watch(): void {
    const watcher = watchTree(this.#options.tree.root, {
      ignored: (full) => this.#scope?.isIgnored(full) ?? false,
      ignoreInitial: true,
      followSymlinks: false,
      ignorePermissionErrors: true,
      persistent: false,
    });
    this.#watcher = watcher;
    watcher.on("all", (event) => {
      if (event === "addDir") this.#folders += 1;
      if (event === "unlinkDir") this.#folders -= 1;
      if (this.#folders > this.#maxFolders) void this.#giveUp(watcher, TOO_MANY);
      this.#changed();
    });
    // What changed while the tree was first walked made no noise.
    watcher.once("ready", () => this.#changed());
    watcher.on("error", (error) => void this.#giveUp(watcher, error instanceof Error ? error.message : String(error)));
  }

  async #giveUp(watcher: FSWatcher, reason: string): Promise<void> {
    if (this.#watcher !== watcher) return;
    this.#watcher = null;
    this.#poll(reason);
    await watcher.close();
  }

  /** What a build has just made, and Git ignores, makes noise once. */
  async #narrow(): Promise<void> {
    const watcher = this.#watcher;
    if (watcher === null) return;
    const scope = await scopeOf(this.#options.tree);
    this.#scope = scope;
    const noisy = Object.keys(watcher.getWatched()).filter((folder) => scope.isIgnored(folder));
    if (noisy.length > 0 && !watcher.closed) watcher.unwatch(noisy);
  }

  /** The system has no watches left, or the tree is too large for them. */
  #poll(reason: string): void {
    if (this.#isPolling || this.#isStopped) return;
    this.#isPolling = true;
    this.#options.log("info", "watch_polls", { reason });
    this.#options.onPolling();
    this.#timer = setTimeout(() => void this.#look(), this.#options.pollIntervalMs ?? POLL_INTERVAL_MS).unref();
  }

  #changed(): void {
    this.#timing = changed(this.#timing, performance.now());
    this.#arm();
  }

  #arm(): void {
    if (this.#isLooking || this.#isStopped) return;
    clearTimeout(this.#timer);
    const dueAt = this.#isPolling ? this.#nextPollAt() : nextLookAt(this.#timing, this.#options.restMs);
    if (dueAt === null) return;
    this.#timer = setTimeout(() => void this.#look(), Math.max(0, dueAt - performance.now())).unref();
  }

  #nextPollAt(): number {
    const soonest = nextLookAt(changed(this.#timing, performance.now()), this.#options.restMs) ?? 0;
    return Math.max(soonest, performance.now() + (this.#options.pollIntervalMs ?? POLL_INTERVAL_MS));
  }

  async #look(): Promise<void> {
    const startedAt = performance.now();
    this.#isLooking = true;
    this.#timing = looking(this.#timing);
    try {
      await this.#options.look();
      await this.#narrow();
    } catch (error) {
      this.#options.log("warn", "look_failed", { detail: error instanceof Error ? error.message : String(error) });
    }
    this.#isLooking = false;
    this.#timing = looked(this.#timing, startedAt, performance.now());
    this.#arm();
  }
}
