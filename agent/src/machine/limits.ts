/** Numbers of the machine, each with its unit and its reason. */

/** Runners at once, unless told otherwise: each is a Node process and an agent of some 300 MB. */
export const DEFAULT_CAPACITY = 4;
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
