/** The agents of a session, read from its state. Pure. The session's own name for the first one is `main`. */
import type { OpenTurn, SessionState, ThreadState } from "@ai-dev-platform/protocol/state";

/** The protocol's constant lives beside schemas that a browser does not load. */
export const MAIN_THREAD_NAME = "main";

type Threads = Pick<SessionState, "threads">;

/** A thread that is not known yet has done nothing. */
export const threadOf = (state: SessionState, thread: string): ThreadState =>
  state.threads.find((known) => known.thread === thread) ?? {
    thread,
    title: "",
    turn: null,
    lastTurn: null,
    mode: state.mode,
    todos: [],
    context: null,
  };

export const openTurns = (state: Threads): OpenTurn[] => state.threads.flatMap(({ turn }) => (turn === null ? [] : [turn]));

/** Whether the screen has to tell threads apart. */
export const hasSeveralThreads = (state: Threads): boolean => state.threads.length > 1;

const MAX_NAME_CHARS = 40;

/** A thread's name from its title: short, readable in a log, and not taken. */
export function threadName(title: string, taken: readonly string[]): string {
  const words = title
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, MAX_NAME_CHARS)
    .replace(/-+$/, "");
  const base = words === "" ? "thread" : words;
  for (let n = 1; ; n++) {
    const name = n === 1 ? base : `${base}-${n}`;
    if (!taken.includes(name)) return name;
  }
}
