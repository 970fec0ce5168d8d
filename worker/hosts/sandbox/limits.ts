/** Numbers of the sandbox adapter, each with its unit and its reason. */

/** Several times the interval at which a session renews its lease, so that one late renewal ends nothing. */
export const FIRST_LEASE_MS = 10 * 60_000;
/** How often a running sandbox is held against its lease and its longest life. */
export const WATCH_INTERVAL_S = 30;
/** The SDK's own idle timer. Longer than the watch, so that the lease decides; it still ends a sandbox that nobody watches. */
export const SDK_SLEEP_AFTER = "15m";

/** One wait for the platform to hand out an instance. An ordinary cold start takes 4 to 8 seconds. */
export const INSTANCE_WAIT_MS = 20_000;
export const INSTANCE_POLL_MS = 300;
/** All tries of one start, below the time in which the session expects a hello. */
export const START_BUDGET_MS = 40_000;
/** Between two tries of one start; a random part keeps a burst from coming back as a burst. */
export const RETRY_PAUSE_MS = 1_000;
/** A start that was under way when its object restarted, and has shown nothing for this long, is over. */
export const START_LOST_MS = 90_000;
/** A kill is answered in this time, below what a session waits for it. What is not gone then is destroyed again by the watch. */
export const KILL_PATIENCE_MS = 8_000;

/** Cold starts at one time. Bursts of 70 were seen to take a minute and to fail; a few at a time take seconds each. */
export const MAX_STARTS_AT_ONCE = 6;
/** A start that did not report its end by now no longer counts against the others. */
export const START_FORGOTTEN_MS = 120_000;
/** First wait after the platform had no instance; doubled up to the longest. */
export const QUEUE_FIRST_WAIT_MS = 4_000;
export const QUEUE_LONGEST_WAIT_MS = 60_000;
/** Failed rounds after which a start is given up and a person decides. */
export const MAX_ROUNDS = 6;
/** How often running sandboxes are held against what their sessions want. */
export const REAP_INTERVAL_MS = 5 * 60_000;
/** A sandbox younger than this is not judged: its session may not have shown its start yet. */
export const REAP_GRACE_MS = 3 * 60_000;
/** Sandboxes judged in one round, so that a round stays short. */
export const REAP_BATCH = 50;
