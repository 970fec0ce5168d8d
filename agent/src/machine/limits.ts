/** Numbers of the machine, each with its unit and its reason. */

/** A runner and its agent take about 0.4 GB; a GB for each leaves room for what they run. */
const BYTES_PER_RUNNER = 1_073_741_824;
const FEWEST_RUNNERS = 4;
const MOST_RUNNERS = 16;

/** Runners at once, unless told otherwise. An idle session keeps its runner for some minutes, so a few are soon taken. */
export const defaultCapacity = (memoryBytes: number): number =>
  Math.min(MOST_RUNNERS, Math.max(FEWEST_RUNNERS, Math.floor(memoryBytes / BYTES_PER_RUNNER)));

/** A kill is answered well within the server's patience of 6 s. */
export const KILL_DEADLINE_MS = 4_000;
/** Between two looks at whether what was killed is gone. */
export const KILL_POLL_MS = 25;
/** An adopted runner is no child of this process: its end is seen by looking. */
export const ADOPTED_POLL_MS = 1_000;
/** Ends of runners kept for the server while it cannot be reached. */
export const MAX_UNREPORTED_EXITS = 200;
/** Prompts that one session's agents take in on a person's own computer: far above what people type, far below a loop. */
export const COMMAND_RATE = { limit: 30, windowMs: 60_000 };
/** Runners that a computer starts: each is a new process with new rights; an idle session sleeps after minutes, not seconds. */
export const START_RATE = { limit: 120, windowMs: 3_600_000 };
/** The same refusal is written down once in this time. */
export const AUDIT_REPEAT_MS = 60_000;
/** Two missed answers: the connection is dead. */
export const MISSED_PONGS = 2;
/** A tick that comes this many intervals after the one before: the computer was asleep between them. */
export const SLEPT_INTERVALS = 3;
