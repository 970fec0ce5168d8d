/** Shared numbers of this package: each with its unit and its reason. What two sides must agree on is in protocol/limits. */

/** This program's own version, as it names itself to the session and to the model proxy. */
export const AGENT_PACKAGE_VERSION = "0.1.0";
/** Fetched by the packaged program when it first connects; the same as in package.json. */
export const AGENT_SDK_VERSION = "0.3.329";
/** Fetched beside it where Node.js is too old for a runner; the same as in the repository's package.json. */
export const RUNNER_NODE_VERSION = "24.21.0";

/** First wait before dialling again; doubled at each failure, with jitter. */
export const REDIAL_FIRST_MS = 250;
/** Longest wait between two dials: an outage ends within this time for everyone. */
export const REDIAL_LONGEST_MS = 10_000;
/** A connection that lasted this long is sound: its end is followed by a quick dial again. */
export const STABLE_CONNECTION_MS = 10_000;
/** Wait after being told to slow down. */
export const REDIAL_PAUSE_MS = 15_000;
/** A dial that has not opened by now has failed. */
export const DIAL_TIMEOUT_MS = 15_000;
/** A runner without a turn whose session has been unreachable for this long saves nothing by waiting on: it exits. */
export const UNREACHABLE_EXIT_MS = 30 * 60_000;

/** Items in one frame: the contract's limit. */
export const OUTBOX_FRAME_ITEMS = 200;
/** Bytes of items in one frame: well below the frame limit, so that one oversized item still fits alone. */
export const OUTBOX_FRAME_CHARS = 500_000;
/** Characters sent and not yet acknowledged: bounds what a slow link holds in memory a second time. */
export const OUTBOX_IN_FLIGHT_CHARS = 4_000_000;

/** Unsent bytes in the socket above which live text waits: durable items go first. */
export const LIVE_BACKPRESSURE_BYTES = 1_000_000;

/** An interrupted agent answers in about 0.1 s; one that has not by now is killed and resumed. */
export const INTERRUPT_GRACE_MS = 3_000;
/** An agent whose input was closed leaves within this time or is killed. */
export const AGENT_CLOSE_GRACE_MS = 2_000;
/** An agent that has not answered its first request by now has failed to start (a cold disk needs seconds). */
export const AGENT_START_TIMEOUT_MS = 60_000;
/** A control request that stays open longer is given up; the conversation goes on without its answer. */
export const AGENT_REQUEST_TIMEOUT_MS = 10_000;
/** The agent's last words kept for an error message. */
export const LAST_WORDS_CHARS = 4_000;

/** A repository's CLAUDE.md given to an agent that does not trust the project's settings: beyond this it is cut. */
export const MAX_GUIDANCE_BYTES = 40_960;
/** A prompt waits at most this long for a save in progress: a consistent save is worth a moment, not more. */
export const SAVE_HOLD_MS = 1_500;
/** A leaving runner waits this long for its last save to be accepted. */
export const LAST_COMMIT_WAIT_MS = 30_000;
/** A command waits at most this long for installed dependencies that are on their way back. */
export const DEPENDENCIES_HOLD_MS = 60_000;
