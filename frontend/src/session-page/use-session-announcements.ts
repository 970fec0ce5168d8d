/** Tells a screen reader the session's boundaries while it is live; what is caught up on is not read out. */
import type { SessionState } from "@ai-dev-platform/protocol/state";
import { useEffect, useRef } from "react";
import { useConnection, useSessionState } from "../session/use-session.ts";
import { useAnnounce } from "../ui/announcer.tsx";
import { formatCount } from "../ui/format.ts";
import { announcementsBetween, isAssertive, type Announcement } from "./announcements.ts";
import { t } from "./messages.ts";

function wordsOf(announcement: Announcement): string {
  switch (announcement.kind) {
    case "needs":
      return announcement.need === "permission" ? t.announce.needs.permission(announcement.subject) : t.announce.needs[announcement.need];
    case "edited":
      return t.announce.edited(formatCount(announcement.files), announcement.files === 1);
    case "ran":
      return t.announce.ran(announcement.who);
    case "blocked":
      return t.announce.blocked(announcement.host);
    default:
      return t.announce[announcement.kind];
  }
}

export function useSessionAnnouncements(): void {
  const announce = useAnnounce();
  const state = useSessionState();
  const { phase } = useConnection();
  const before = useRef<SessionState | null>(null);
  const wasLive = useRef(false);

  useEffect(() => {
    const previous = before.current;
    before.current = state;
    if (previous === null || state === null || phase !== "live") return;
    for (const announcement of announcementsBetween(previous, state)) {
      announce(wordsOf(announcement), isAssertive(announcement) ? "assertive" : "polite");
    }
  }, [announce, phase, state]);

  useEffect(() => {
    if (phase === "live" && !wasLive.current && before.current !== null) announce(t.announce.live);
    if (phase === "reconnecting" && wasLive.current) announce(t.announce.reconnecting, "assertive");
    if (phase === "live" || phase === "reconnecting") wasLive.current = phase === "live";
  }, [announce, phase]);
}
