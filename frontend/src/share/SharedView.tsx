/** A session as a visitor with a viewer's link sees it: no composer, no sidebar, no cost. */
import { Contrast } from "lucide-react";
import { lazy, Suspense, useCallback, useEffect, useState } from "react";
import { Link } from "wouter";
import type { ShareViewBody } from "@ai-dev-platform/protocol/http";
import { BrandMark } from "../auth/Brand.tsx";
import { paths } from "../routes.ts";
import { SessionProvider } from "../session/provider.tsx";
import { useConnection, useSessionSelector } from "../session/use-session.ts";
import { setTheme } from "../settings/theme.ts";
import { OfflineStrip } from "../shell/OfflineStrip.tsx";
import { Transcript } from "../transcript/Transcript.tsx";
import { buttonClass, IconButton } from "../ui/button.tsx";
import { classes } from "../ui/classes.ts";
import { PanelBoundary } from "../ui/error-boundary.tsx";
import { formatDay } from "../ui/format.ts";
import { StateDot } from "../ui/state-dot.tsx";
import { useNow } from "../ui/time.tsx";
import { t } from "./messages.ts";
import { shareTicket } from "./open-share.ts";
import { SharedEnded } from "./SharedEnded.tsx";

const SharedChanges = lazy(() => import("./SharedChanges.tsx").then((module) => ({ default: module.SharedChanges })));

export default function SharedView({ share }: { share: ShareViewBody }) {
  const getTicket = useCallback(() => shareTicket(share.shareId), [share.shareId]);
  return (
    <SessionProvider sessionId={share.sessionId} getTicket={getTicket}>
      <Shared share={share} />
    </SessionProvider>
  );
}

type View = "conversation" | "changes";

function Shared({ share }: { share: ShareViewBody }) {
  const connection = useConnection();
  const title = useSessionSelector((state) => state.title) ?? share.title;
  const [view, setView] = useState<View>("conversation");
  const now = useNow("minute");
  useEffect(() => {
    document.title = title;
  }, [title]);
  if (connection.phase === "ended") return <SharedEnded />;
  return (
    <div className="flex h-full min-h-0 flex-col">
      <OfflineStrip />
      <SharedHeader title={title} sharedBy={share.sharedBy} isLive={connection.phase === "live" || connection.phase === "catching_up"} />
      <main id="main" className="flex min-h-0 flex-1 flex-col">
        <ViewTabs view={view} setView={setView} />
        <h2 className="sr-only">{view === "conversation" ? t.conversation : t.changes}</h2>
        <div className={classes("min-h-0 flex-1", view !== "conversation" && "hidden")}>
          <PanelBoundary name={t.conversation}>
            <Transcript readOnly />
          </PanelBoundary>
        </div>
        {view === "changes" && (
          <div className="min-h-0 flex-1">
            <PanelBoundary name={t.changes}>
              <Suspense fallback={null}>
                <SharedChanges />
              </Suspense>
            </PanelBoundary>
          </div>
        )}
      </main>
      <footer className="flex-none border-t border-line px-4 py-1.5 pb-[max(6px,env(safe-area-inset-bottom))] text-label text-fg-3">
        {t.expiresOn(formatDay(share.expiresAt, now))}
      </footer>
    </div>
  );
}

const flipTheme = () => setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark");

function SharedHeader({ title, sharedBy, isLive }: { title: string; sharedBy: string; isLive: boolean }) {
  return (
    <header className="flex min-h-11 flex-none items-center gap-3 border-b border-line px-3 py-1.5">
      <BrandMark />
      <div className="min-w-0 flex-1 md:flex md:items-baseline md:gap-4">
        <h1 className="truncate font-semibold">{title}</h1>
        <p className="truncate text-label text-fg-2">
          {t.sharedBy(sharedBy)} · {t.readOnly}
        </p>
      </div>
      <span className="hidden items-center gap-1.5 text-label text-fg-2 md:flex">
        <StateDot state={isLive ? "running" : "offline"} label="" />
        {isLive ? t.live : t.reconnecting}
      </span>
      <IconButton label={t.theme} onClick={flipTheme}>
        <Contrast />
      </IconButton>
      <Link href={paths.sessions} className={buttonClass("secondary", "sm")}>
        {t.openApp}
      </Link>
    </header>
  );
}

function ViewTabs({ view, setView }: { view: View; setView: (view: View) => void }) {
  const count = useSessionSelector((state) => state.changes.files.length) ?? 0;
  const tab = (name: View, label: string) => (
    <button
      type="button"
      aria-pressed={view === name}
      onClick={() => setView(name)}
      className={classes(
        "h-7 rounded-control px-2.5 font-medium pointer-coarse:h-11",
        view === name ? "bg-hover text-fg" : "text-fg-2 hover:bg-hover hover:text-fg",
      )}
    >
      {label}
    </button>
  );
  return (
    <fieldset className="flex flex-none items-center gap-1 border-b border-line px-2 py-1">
      <legend className="sr-only">{t.views}</legend>
      {tab("conversation", t.conversation)}
      {tab("changes", count === 0 ? t.changes : `${t.changes} ${count}`)}
    </fieldset>
  );
}
