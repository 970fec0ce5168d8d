/**
 * The session screen's frame: connects, and lays out header, transcript, dock, composer and workbench. On the phone the
 * workbench lies over the conversation, which stays mounted under it and keeps its place.
 */
import type { TicketBody } from "@ai-dev-platform/protocol/http";
import { lazy, Suspense, useCallback, useEffect, useRef, useState, type CSSProperties } from "react";
import { api } from "../api/client.ts";
import { Composer } from "../composer/Composer.tsx";
import { Dock } from "../dock/Dock.tsx";
import { hasSeveralThreads } from "../session/threads.ts";
import { SessionProvider } from "../session/provider.tsx";
import { useConnection, useProgress, useSessionState } from "../session/use-session.ts";
import { jumpToSeq } from "../transcript/commands.ts";
import { Transcript } from "../transcript/Transcript.tsx";
import { PanelBoundary } from "../ui/error-boundary.tsx";
import { ConnectionPill } from "./ConnectionPill.tsx";
import { t } from "./messages.ts";
import { hasNotes } from "./page-state.ts";
import type { Panel } from "./panel-url.ts";
import { PhoneTabs } from "./PhoneTabs.tsx";
import { SessionHeader } from "./SessionHeader.tsx";
import { Splitter, WIDTH_VARIABLE } from "./Splitter.tsx";
import { PHONE, useMedia, WIDE } from "./use-media.ts";
import { usePlace } from "./use-place.ts";
import { useScreenKeys } from "./use-screen-keys.ts";
import { useSessionAnnouncements } from "./use-session-announcements.ts";
import { useSessionCommands } from "./use-session-commands.ts";
import { useTabState } from "./use-tab-state.ts";
import { useThreadFromAddress } from "./use-thread-place.ts";
import { useWarmOnOpen } from "./use-warm-on-open.ts";
import { useWorkbenchWidth } from "./use-workbench-width.ts";

const Workbench = lazy(() => import("../workbench/Workbench.tsx").then((module) => ({ default: module.Workbench })));
const Palette = lazy(() => import("../palette/Palette.tsx").then((module) => ({ default: module.Palette })));
const ShortcutSheet = lazy(() => import("../keyboard/ShortcutSheet.tsx").then((module) => ({ default: module.ShortcutSheet })));
const ThreadBar = lazy(() => import("./ThreadBar.tsx"));
const EndedNotice = lazy(() => import("./EndedNotice.tsx"));
const PlaceNotes = lazy(() => import("./PlaceNotes.tsx"));
const WorkspaceNotes = lazy(() => import("./WorkspaceNotes.tsx"));
const ShareDialog = lazy(() => import("../share/ShareDialog.tsx").then((module) => ({ default: module.ShareDialog })));

export interface SessionPageProps {
  sessionId: string;
  /** Set when the session was opened from a link: the link's grant is used, and the app's frame is absent. */
  shareId?: string;
}

export default function SessionPage({ sessionId, shareId }: SessionPageProps) {
  const getTicket = useCallback(
    () =>
      api.post<TicketBody>(
        shareId === undefined
          ? `/api/sessions/${encodeURIComponent(sessionId)}/ticket`
          : `/api/share/${encodeURIComponent(shareId)}/ticket`,
      ),
    [sessionId, shareId],
  );
  return (
    <SessionProvider sessionId={sessionId} getTicket={getTicket}>
      <SessionScreen sessionId={sessionId} isShared={shareId !== undefined} />
    </SessionProvider>
  );
}

type Overlay = "palette" | "sheet" | "share" | null;

function useScreen(sessionId: string, isShared: boolean) {
  const isPhone = useMedia(PHONE);
  const isWide = useMedia(WIDE);
  const [place, setPlace] = usePlace();
  const [overlay, setOverlay] = useState<Overlay>(null);
  const [isRenaming, setIsRenaming] = useState(false);
  const panel: Panel | null = place.panel === null ? (isWide ? "changes" : null) : place.panel === "none" ? null : place.panel;
  const showPanel = (next: Panel | null) => setPlace({ panel: next ?? (isWide ? "none" : null), file: null, line: null });
  const commands = useSessionCommands(sessionId, isShared, {
    rename: () => setIsRenaming(true),
    openShare: () => setOverlay("share"),
    openPalette: () => setOverlay("palette"),
    openSheet: () => setOverlay("sheet"),
    showPanel,
    toggleWorkbench: () => showPanel(panel === null ? "changes" : null),
  });
  return { isPhone, place, setPlace, overlay, setOverlay, isRenaming, setIsRenaming, panel, showPanel, commands };
}

/** A link to a step (`?at=seq`) is followed once, when the session's rows are there. */
function useJumpFromAddress(isReady: boolean): void {
  const isDone = useRef(false);
  useEffect(() => {
    if (!isReady || isDone.current) return;
    isDone.current = true;
    const seq = Number(new URLSearchParams(location.search).get("at"));
    if (Number.isInteger(seq) && seq > 0) void jumpToSeq(seq);
  }, [isReady]);
}

interface ConversationProps {
  sessionId: string;
  onShare: (() => void) | null;
  isPhone: boolean;
  /** A part of the workbench lies over it. */
  isHidden: boolean;
}

function Conversation({ sessionId, onShare, isPhone, isHidden }: ConversationProps) {
  const state = useSessionState();
  const progress = useProgress();
  return (
    <main id="main" tabIndex={-1} inert={isHidden} className="relative flex min-h-0 min-w-0 flex-1 flex-col outline-none">
      {state !== null && (hasSeveralThreads(state) || state.lifecycle === "multi-agent") && (
        <Suspense fallback={<div className="h-9 flex-none border-b border-line pointer-coarse:h-12" />}>
          <ThreadBar state={state} isPhone={isPhone} />
        </Suspense>
      )}
      <div className="relative min-h-16 flex-1">
        <PanelBoundary name={t.transcript}>
          <Transcript />
        </PanelBoundary>
        <div className="pointer-events-none absolute inset-x-0 top-2 z-10 flex justify-center *:pointer-events-auto">
          <ConnectionPill />
        </div>
      </div>
      <div className="mx-auto flex min-h-0 w-full max-w-[792px] flex-col gap-2 px-2 pb-[max(8px,env(safe-area-inset-bottom))] md:px-4 md:pb-4">
        <Dock />
        <Suspense fallback={null}>{state !== null && state.hostKind !== "sandbox" && <PlaceNotes state={state} />}</Suspense>
        <PanelBoundary name={t.conversation}>
          <Composer sessionId={sessionId} onShare={onShare} />
        </PanelBoundary>
        <Suspense fallback={null}>{state !== null && hasNotes(state, progress) && <WorkspaceNotes state={state} />}</Suspense>
      </div>
    </main>
  );
}

function SessionScreen({ sessionId, isShared }: { sessionId: string; isShared: boolean }) {
  const state = useSessionState();
  const connection = useConnection();
  const [container, setContainer] = useState<HTMLDivElement | null>(null);
  const screen = useScreen(sessionId, isShared);
  const { isPhone, panel, commands, overlay, setOverlay } = screen;
  const { spacePx, widthPx, setWidth } = useWorkbenchWidth(sessionId, container);
  useTabState();
  useSessionAnnouncements();
  useScreenKeys(commands);
  useThreadFromAddress();
  useWarmOnOpen(state, connection.phase === "live");
  useJumpFromAddress(state !== null && connection.phase === "live");

  const isEnded = connection.phase === "ended" && connection.endedReason !== undefined;
  const closeOverlay = (open: boolean) => !open && setOverlay(null);
  const workbench = panel !== null && (
    <Suspense fallback={null}>
      <Workbench
        sessionId={sessionId}
        panel={panel}
        place={screen.place}
        onPlace={screen.setPlace}
        onClose={isPhone ? null : () => screen.showPanel(null)}
      />
    </Suspense>
  );
  return (
    <div className="flex h-full min-h-0 flex-col">
      {!isEnded && (
        <SessionHeader
          sessionId={sessionId}
          state={state}
          commands={commands}
          isShared={isShared}
          isRenaming={screen.isRenaming}
          onRenaming={screen.setIsRenaming}
          isWorkbenchOpen={panel !== null}
        />
      )}
      {isPhone && !isEnded && <PhoneTabs panel={panel} onPanel={screen.showPanel} />}
      {isEnded && connection.endedReason !== undefined ? (
        <Suspense fallback={null}>
          <EndedNotice reason={connection.endedReason} isShared={isShared} />
        </Suspense>
      ) : (
        <div
          ref={setContainer}
          className="relative flex min-h-0 flex-1"
          style={{ [WIDTH_VARIABLE]: `${widthPx}px` } satisfies Record<string, string> as CSSProperties}
        >
          <Conversation sessionId={sessionId} onShare={commands.share} isPhone={isPhone} isHidden={isPhone && panel !== null} />
          {panel !== null && (
            <aside
              aria-label={t.workbench}
              className={isPhone ? "absolute inset-0 z-20 bg-bg" : "relative min-h-0 flex-none"}
              style={isPhone ? undefined : { width: `var(${WIDTH_VARIABLE})` }}
            >
              {!isPhone && <Splitter container={container} widthPx={widthPx} spacePx={spacePx} onWidth={setWidth} />}
              {workbench}
            </aside>
          )}
        </div>
      )}
      <Suspense fallback={null}>
        {overlay === "palette" && state !== null && (
          <Palette onClose={() => setOverlay(null)} commands={commands} state={state} isShared={isShared} />
        )}
        {overlay === "sheet" && <ShortcutSheet open onOpenChange={closeOverlay} />}
        {overlay === "share" && <ShareDialog sessionId={sessionId} open onOpenChange={closeOverlay} />}
      </Suspense>
    </div>
  );
}
