/**
 * When what arrived is shown. Frames are gathered and committed at most 30 times a second (20 on coarse pointers or after a
 * slow commit, once a second while the page is hidden); the first one after a pause is shown at once.
 */
const FINE_INTERVAL_MS = 33;
const COARSE_INTERVAL_MS = 50;
const HIDDEN_INTERVAL_MS = 1_000;
/** A commit that took longer than this is followed by the slower rhythm. */
const SLOW_COMMIT_MS = 24;

export interface Surroundings {
  isHidden: boolean;
  isCoarse: boolean;
  lastCommitTookMs: number;
}

export function commitIntervalMs({ isHidden, isCoarse, lastCommitTookMs }: Surroundings): number {
  if (isHidden) return HIDDEN_INTERVAL_MS;
  return isCoarse || lastCommitTookMs > SLOW_COMMIT_MS ? COARSE_INTERVAL_MS : FINE_INTERVAL_MS;
}

export interface Committer {
  /** Something arrived. */
  request(): void;
  /** Show it now. */
  flush(): void;
  stop(): void;
}

/** `commit` says whether frames were in it: one without does not count against the rhythm. */
export function createCommitter(
  commit: () => boolean,
  surroundings: () => Omit<Surroundings, "lastCommitTookMs">,
  now: () => number,
): Committer {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let lastAt = Number.NEGATIVE_INFINITY;
  let lastCommitTookMs = 0;
  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    const startedAt = now();
    const hadFrames = commit();
    if (!hadFrames) return;
    lastAt = now();
    lastCommitTookMs = lastAt - startedAt;
  };
  return {
    flush,
    request: () => {
      if (timer !== undefined) return;
      const waitMs = lastAt + commitIntervalMs({ ...surroundings(), lastCommitTookMs }) - now();
      if (waitMs <= 0) flush();
      else timer = setTimeout(flush, waitMs);
    },
    stop: () => {
      clearTimeout(timer);
      timer = undefined;
    },
  };
}
