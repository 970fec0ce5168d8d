/** How this program can end: the numbers that scripts may rely on (docs/machines.md). */
export const EXIT = {
  ok: 0,
  /** The person can set it right: wrong words, a folder that is not there, a check of `doctor` that failed. */
  user: 1,
  /** It cannot go on, and nobody here did anything wrong. */
  fatal: 2,
  /** This computer is not signed in, or not any more. */
  notSignedIn: 3,
  /** The server cannot be reached now: the same again may work later. */
  unreachable: 4,
  /** EX_SOFTWARE: a bug. */
  bug: 70,
} as const;
