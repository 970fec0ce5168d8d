/** The tab's title and icon carry the session's state, so that one sees it among many tabs. Restores both on leaving. */
import { useEffect } from "react";
import { useConnection, useSessionState } from "../session/use-session.ts";
import { reloadSessions } from "../sessions/use-sessions.ts";
import { TITLE_WORDS } from "./messages.ts";
import { tabIcon, tabTitle, type TabIcon } from "./page-state.ts";

/** The session tells the list in the background. */
const LIST_DELAY_MS = 300;
const ICONS: Record<TabIcon, string> = { plain: "/favicon.svg", running: "/favicon-running.svg", needs_you: "/favicon-needs-you.svg" };

function setIcon(href: string): void {
  const link = document.querySelector<HTMLLinkElement>("link[rel=icon]");
  if (link !== null && link.getAttribute("href") !== href) link.href = href;
}

export function useTabState(): void {
  const state = useSessionState();
  const { phase } = useConnection();
  const isOffline = phase === "offline" || phase === "ended";
  const title = state === null ? TITLE_WORDS.brand : tabTitle(state, isOffline, TITLE_WORDS);
  const summary = state === null ? null : tabIcon(state);
  const icon = ICONS[summary ?? "plain"];
  useEffect(() => {
    document.title = title;
  }, [title]);
  useEffect(() => setIcon(icon), [icon]);
  // The list beside it learns of this session from the server: asked anew a moment after a turn's begin, end or question.
  useEffect(() => {
    if (summary === null) return undefined;
    const timer = setTimeout(() => void reloadSessions(), LIST_DELAY_MS);
    return () => clearTimeout(timer);
  }, [summary]);
  useEffect(
    () => () => {
      document.title = TITLE_WORDS.brand;
      setIcon(ICONS.plain);
    },
    [],
  );
}
