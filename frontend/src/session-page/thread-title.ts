import type { ThreadState } from "@ai-dev-platform/protocol/state";
import { MAIN_THREAD_NAME } from "../session/threads.ts";
import { t } from "./messages.ts";

/** An agent's title as a person gave it; the first one has none of its own. */
export const threadTitle = ({ thread, title }: Pick<ThreadState, "thread" | "title">): string =>
  title !== "" ? title : thread === MAIN_THREAD_NAME ? t.mainThread : thread;
