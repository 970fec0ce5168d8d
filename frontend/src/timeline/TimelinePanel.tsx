/** The session's saved states by turn: what changed in each, the way back, forks and downloads. Nothing is woken for it. */
import type { TimelineEntry } from "@ai-dev-platform/protocol/queries";
import { may } from "@ai-dev-platform/protocol/roles";
import { useRef, useState } from "react";
import { useViewer } from "../session/use-session.ts";
import { Button } from "../ui/button.tsx";
import { PanelFailure, PanelNote, Skeleton } from "../workbench/PanelStates.tsx";
import { BackDialog } from "./BackDialog.tsx";
import { t } from "./messages.ts";
import { StateCard } from "./StateCard.tsx";
import { useTimeline } from "./use-timeline.ts";

export default function TimelinePanel({ sessionId }: { sessionId: string }) {
  const viewer = useViewer();
  const { data, error, isPending, hasNextPage, isFetchingNextPage, fetchNextPage, refetch } = useTimeline(sessionId);
  const [chosen, setChosen] = useState<TimelineEntry | null>(null);
  const end = useRef<HTMLParagraphElement>(null);
  // The button goes with the last page: whoever pressed it stays at the end of the list.
  const showOlder = () =>
    void fetchNextPage().then(({ hasNextPage: hasMore }) => requestAnimationFrame(() => hasMore || end.current?.focus()));
  if (isPending) return <Skeleton lines={6} />;
  if (error !== null && data === undefined) return <PanelFailure error={error} onRetry={() => void refetch()} />;
  const entries = data.pages.flatMap((page) => page.entries);
  if (entries.length === 0) return <PanelNote title={t.none}>{t.noneHint}</PanelNote>;
  const mayRewind = viewer !== null && may(viewer.role, "drive");
  const isOwner = viewer !== null && may(viewer.role, "own");
  return (
    <div className="h-full overflow-y-auto overscroll-contain">
      <ol aria-label={t.list} className="space-y-2 p-3">
        {entries.map((entry) => (
          <StateCard
            key={entry.snapshotId}
            sessionId={sessionId}
            entry={entry}
            others={entries.filter((other) => other !== entry)}
            onBack={mayRewind && !entry.isHead ? () => setChosen(entry) : null}
            isOwner={isOwner}
          />
        ))}
      </ol>
      {hasNextPage && (
        <div className="px-3 pb-4">
          <Button aria-disabled={isFetchingNextPage} onClick={() => !isFetchingNextPage && showOlder()}>
            {isFetchingNextPage ? t.loadingOlder : t.older}
          </Button>
        </div>
      )}
      {!hasNextPage && data.pages.length > 1 && (
        <p ref={end} tabIndex={-1} className="mx-3 mb-4 text-label text-fg-3">
          {t.allShown}
        </p>
      )}
      {chosen !== null && <BackDialog entry={chosen} onClose={() => setChosen(null)} />}
    </div>
  );
}
