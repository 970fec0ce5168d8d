/** What every measurement is given, and the order in which subjects take their turns. */
import type { Input } from "./inputs.ts";
import type { Store } from "./store.ts";

export interface Bench {
  /** A folder for whatever is needed. */
  root: string;
  store: Store;
  input: Input;
}

/** Another order in each round, so that none always finds what the one before it has warmed. */
export async function inRandomOrder(subjects: Record<string, () => Promise<unknown>>): Promise<void> {
  const waiting = Object.values(subjects);
  while (waiting.length > 0) {
    const [next] = waiting.splice(Math.floor(Math.random() * waiting.length), 1);
    await next?.();
  }
}
