/** Which agent is shown, kept in the address as `?thread=docs`; without it the first one. */
import { useCallback, useLayoutEffect } from "react";
import { useLocation, useSearch } from "wouter";
import { useSessionHandle } from "../session/context.ts";
import { MAIN_THREAD_NAME } from "../session/threads.ts";

export function useThreadPlace(): [string, (thread: string) => void] {
  const [path, navigate] = useLocation();
  const search = useSearch();
  const showThread = useCallback(
    (thread: string) => {
      const params = new URLSearchParams(search);
      if (thread === MAIN_THREAD_NAME) params.delete("thread");
      else params.set("thread", thread);
      const text = params.toString();
      navigate(text === "" ? path : `${path}?${text}`, { replace: true });
    },
    [navigate, path, search],
  );
  return [new URLSearchParams(search).get("thread") ?? MAIN_THREAD_NAME, showThread];
}

/** Makes the session show the agent that the address names. */
export function useThreadFromAddress(): void {
  const { core } = useSessionHandle();
  const [thread] = useThreadPlace();
  useLayoutEffect(() => core.showThread(thread), [core, thread]);
}
