/** One saved state: when, how large, what changed in it, and what can be done with it. */
import type { SessionBody } from "@ai-dev-platform/protocol/http";
import type { TimelineEntry } from "@ai-dev-platform/protocol/queries";
import { useMutation } from "@tanstack/react-query";
import { ChevronRight } from "lucide-react";
import { useId, useState } from "react";
import { useLocation } from "wouter";
import { api } from "../api/client.ts";
import { newId } from "../api/new-id.ts";
import { paths } from "../routes.ts";
import { showFailure } from "../session-page/failure.ts";
import { reloadSessions } from "../sessions/use-sessions.ts";
import { Button } from "../ui/button.tsx";
import { classes } from "../ui/classes.ts";
import { formatBytes, formatCount } from "../ui/format.ts";
import { RelativeTime } from "../ui/time.tsx";
import { Downloads } from "./Downloads.tsx";
import { t } from "./messages.ts";
import { StateChanges } from "./StateChanges.tsx";

export interface StateCardProps {
  sessionId: string;
  entry: TimelineEntry;
  /** The other states that are listed, for comparing. */
  others: readonly TimelineEntry[];
  /** Null where this role may not, or where it is what the session stands on already. */
  onBack: (() => void) | null;
  isOwner: boolean;
}

export function StateCard({ sessionId, entry, others, onBack, isOwner }: StateCardProps) {
  const [isOpen, setIsOpen] = useState(false);
  const bodyId = useId();
  const step = formatCount(entry.throughSeq);
  return (
    <li className="rounded-card border border-line bg-surface">
      <button
        type="button"
        aria-expanded={isOpen}
        aria-controls={isOpen ? bodyId : undefined}
        onClick={() => setIsOpen(!isOpen)}
        className="flex min-h-9 w-full items-center gap-1.5 rounded-card px-2 pt-1 text-left text-ui -outline-offset-2 pointer-coarse:min-h-12"
      >
        <ChevronRight
          aria-hidden
          className={classes("size-3.5 flex-none stroke-[1.75] text-fg-3 transition-transform", isOpen && "rotate-90")}
        />
        <span className="tabular flex-none font-medium">{t.step(step)}</span>
        <span className="min-w-0 truncate text-fg-2">{entry.label === "" ? t.beginning : entry.label}</span>
        <span className="ml-auto flex-none pl-1 text-label text-fg-3">{entry.isHead ? t.now : <RelativeTime at={entry.at} />}</span>
      </button>
      <div className="flex flex-wrap items-center justify-end gap-x-2 gap-y-1 pr-2 pb-2 pl-7">
        <p className="tabular min-w-0 flex-1 basis-36 text-label text-fg-3">
          {t.size(entry.treeFiles, formatBytes(entry.treeBytes), formatBytes(entry.storedBytes))}
        </p>
        <span className="flex gap-2">
          {isOwner && <ForkButton sessionId={sessionId} entry={entry} />}
          {onBack !== null && (
            <Button size="sm" aria-label={t.backLabel(step)} onClick={onBack}>
              {t.back}
            </Button>
          )}
        </span>
      </div>
      {isOpen && (
        <div id={bodyId} className="flex flex-col gap-3 border-t border-line px-3 py-3">
          <Kept entry={entry} />
          <StateChanges sessionId={sessionId} entry={entry} others={others} />
          {isOwner && <Downloads sessionId={sessionId} entry={entry} />}
        </div>
      )}
    </li>
  );
}

function Kept({ entry: { dependencyBytes, leftOut } }: { entry: TimelineEntry }) {
  if (dependencyBytes === 0 && leftOut === 0) return null;
  return (
    <div className="text-label text-fg-2">
      {dependencyBytes > 0 && <p>{t.dependencies(formatBytes(dependencyBytes))}</p>}
      {leftOut > 0 && <p>{t.leftOut(leftOut)}</p>}
    </div>
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
