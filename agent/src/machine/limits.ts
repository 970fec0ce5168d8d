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
/** Two missed answers: the connection is dead. */
export const MISSED_PONGS = 2;
