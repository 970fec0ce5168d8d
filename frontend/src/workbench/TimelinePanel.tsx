/** The session's saved states by turn, and the way back to one of them. Read from the session itself: nothing is woken. */
import type { QueryResult, TimelineEntry } from "@ai-dev-platform/protocol/queries";
import { may } from "@ai-dev-platform/protocol/roles";
import type { SessionBody } from "@ai-dev-platform/protocol/http";
import { keepPreviousData, useInfiniteQuery, useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useLocation } from "wouter";
import { api } from "../api/client.ts";
import { newId } from "../api/new-id.ts";
import { paths } from "../routes.ts";
import { showFailure } from "../session-page/failure.ts";
import { reloadSessions } from "../sessions/use-sessions.ts";
import { useActions, useSessionSelector, useViewer } from "../session/use-session.ts";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { formatBytes, formatCount } from "../ui/format.ts";
import { RelativeTime } from "../ui/time.tsx";
import { PanelFailure, PanelNote, Skeleton } from "./PanelStates.tsx";
import { t } from "./timeline-messages.ts";

function useTimeline(sessionId: string) {
  const actions = useActions();
  // A new save makes a new list; what was loaded stays in sight meanwhile.
  const head = useSessionSelector((state) => state.saved?.snapshotId ?? "") ?? "";
  return useInfiniteQuery({
    queryKey: ["session", sessionId, "timeline", head],
    initialPageParam: null as number | null,
    retry: false,
    refetchOnWindowFocus: false,
    placeholderData: keepPreviousData,
    queryFn: async ({ pageParam }): Promise<Extract<QueryResult, { kind: "timeline" }>> => {
      const result = await actions.query({ kind: "timeline", beforeSeq: pageParam });
      if (result.kind !== "timeline") throw new Error("the answer does not fit the question");
      return result;
    },
    getNextPageParam: (page) => (page.hasMore ? (page.entries.at(-1)?.seq ?? null) : null),
  });
}

export default function TimelinePanel({ sessionId }: { sessionId: string }) {
  const viewer = useViewer();
  const { data, error, isPending, hasNextPage, isFetchingNextPage, fetchNextPage, refetch } = useTimeline(sessionId);
  const [chosen, setChosen] = useState<TimelineEntry | null>(null);
  if (isPending) return <Skeleton lines={6} />;
  if (error !== null && data === undefined) return <PanelFailure error={error} onRetry={() => void refetch()} />;
  const entries = data.pages.flatMap((page) => page.entries);
  if (entries.length === 0) return <PanelNote title={t.none}>{t.noneHint}</PanelNote>;
  const mayRewind = viewer !== null && may(viewer.role, "drive");
  const mayFork = viewer !== null && may(viewer.role, "own");
  return (
    <div className="h-full overflow-y-auto">
      <ol aria-label={t.list} className="space-y-2 p-3">
        {entries.map((entry) => (
          <State key={entry.snapshotId} entry={entry} onBack={mayRewind && !entry.isHead ? () => setChosen(entry) : null}>
            {mayFork && <ForkButton sessionId={sessionId} entry={entry} />}
          </State>
        ))}
      </ol>
      {hasNextPage && (
        <div className="px-3 pb-4">
          <Button disabled={isFetchingNextPage} onClick={() => void fetchNextPage()}>
            {t.older}
          </Button>
        </div>
      )}
      {chosen !== null && <BackDialog entry={chosen} onClose={() => setChosen(null)} />}
    </div>
  );
}

function State({ entry, onBack, children }: { entry: TimelineEntry; onBack: (() => void) | null; children: React.ReactNode }) {
  return (
    <li className="rounded-card border border-line bg-surface px-3 py-2.5">
      <div className="flex items-center gap-2">
        <span className="tabular flex-none font-medium">{t.step(formatCount(entry.throughSeq))}</span>
        <span className="min-w-0 truncate text-fg-2">{entry.label === "" ? t.beginning : entry.label}</span>
        <span className="ml-auto flex-none text-label text-fg-3">{entry.isHead ? t.now : <RelativeTime at={entry.at} />}</span>
      </div>
      <div className="mt-0.5 flex items-center gap-2">
        <p className="tabular min-w-0 flex-1 text-label text-fg-3">
          {t.size(formatCount(entry.treeFiles), formatBytes(entry.treeBytes), formatBytes(entry.storedBytes))}
        </p>
        {children}
        {onBack !== null && (
          <Button size="sm" aria-label={t.backLabel(formatCount(entry.throughSeq))} onClick={onBack}>
            {t.back}
          </Button>
        )}
      </div>
    </li>
  );
}

/** The same click again, after an answer was lost, is the same fork. */
function ForkButton({ sessionId, entry }: { sessionId: string; entry: TimelineEntry }) {
  const [, navigate] = useLocation();
  const [requestId] = useState(() => newId("request"));
  const fork = useMutation({
    mutationFn: () => api.post<SessionBody>(`/api/sessions/${sessionId}/fork`, { requestId, snapshotId: entry.snapshotId }),
    onSuccess: async (session) => {
      await reloadSessions();
      navigate(paths.session(session.sessionId));
    },
    onError: showFailure,
  });
  return (
    <Button size="sm" disabled={fork.isPending} aria-label={t.forkLabel(formatCount(entry.throughSeq))} onClick={() => fork.mutate()}>
      {fork.isPending ? t.forking : t.fork}
    </Button>
  );
}

function BackDialog({ entry, onClose }: { entry: TimelineEntry; onClose: () => void }) {
  const actions = useActions();
  const [isGoing, setIsGoing] = useState(false);
  const go = () => {
    setIsGoing(true);
    actions.rewind(entry.snapshotId).then(onClose, (error: unknown) => {
      showFailure(error);
      setIsGoing(false);
    });
  };
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t.dialog.title(formatCount(entry.throughSeq))}
      description={t.dialog.body}
      footer={
        <>
          <Button onClick={onClose}>{t.dialog.cancel}</Button>
          <Button variant="primary" disabled={isGoing} onClick={go}>
            {isGoing ? t.dialog.going : t.dialog.confirm}
          </Button>
        </>
      }
    >
      <p className="text-ui text-fg-2">{t.dialog.stays}</p>
    </Dialog>
  );
}
