/** The tab's title and icon carry the session's state, so that one sees it among many tabs. Restores both on leaving. */
import { useEffect } from "react";
import { useConnection, useSessionState } from "../session/use-session.ts";
import { TITLE_WORDS } from "./messages.ts";
import { tabIcon, tabTitle, type TabIcon } from "./page-state.ts";

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
  const icon = ICONS[state === null ? "plain" : tabIcon(state)];
  useEffect(() => {
    document.title = title;
  }, [title]);
  useEffect(() => setIcon(icon), [icon]);
  useEffect(
    () => () => {
      document.title = TITLE_WORDS.brand;
      setIcon(ICONS.plain);
    },
    [],
  );
}
