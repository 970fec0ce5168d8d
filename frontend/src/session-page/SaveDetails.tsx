/** What is durable, how much is kept, what was left out, and what to do when a save failed. Loaded when it is first opened. */
import type { SessionBody } from "@ai-dev-platform/protocol/http";
import { may } from "@ai-dev-platform/protocol/roles";
import type { SavedState, SessionState } from "@ai-dev-platform/protocol/state";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "wouter";
import { api } from "../api/client.ts";
import { paths } from "../routes.ts";
import { useSessionHandle } from "../session/context.ts";
import { openTurns } from "../session/threads.ts";
import { useActions, useViewer } from "../session/use-session.ts";
import { useTimeline } from "../timeline/use-timeline.ts";
import { Button, buttonClass } from "../ui/button.tsx";
import { formatAgo, formatBytes, formatCount, formatExact } from "../ui/format.ts";
import { useNow } from "../ui/time.tsx";
import { failureMessage } from "./failure.ts";
import { t } from "./late-messages.ts";
import { leftOutGroups, secondsAgo, shortId } from "./save-facts.ts";

/** Names listed for one reason before the rest is only counted. */
const LISTED_PATHS = 5;

export default function SaveDetails({ state }: { state: SessionState }) {
  const viewer = useViewer();
  const { saved, saveProblem } = state;
  const isOwner = viewer !== null && may(viewer.role, "own");
  return (
    <div className="w-80 max-w-full text-ui">
      {saveProblem !== null && <SaveProblem problem={saveProblem} isOwner={isOwner} />}
      {saved === null ? <p className="text-fg-2">{t.saved.noneLong}</p> : <Durable saved={saved} isOwner={isOwner} />}
      {saved !== null && openTurns(state).length > 0 && <p className="mt-1 text-label text-fg-3">{t.saved.turnRuns}</p>}
      {viewer !== null && may(viewer.role, "drive") && <SaveNow />}
    </div>
  );
}

function SaveProblem({ problem, isOwner }: { problem: NonNullable<SessionState["saveProblem"]>; isOwner: boolean }) {
  const isFull = problem.code === "quota_exceeded";
  return (
    <div className="mb-2 rounded-control bg-bad-soft px-2.5 py-2">
      <p className="font-medium text-bad">{problem.message}</p>
      <p className="mt-0.5 text-label break-words text-fg-2">{problem.detail ?? t.saved.problemLong}</p>
      {isFull && isOwner && (
        <Link href={paths.settings("storage")} className={`mt-2 ${buttonClass("secondary", "sm")}`}>
          {t.saved.openStorage}
        </Link>
      )}
      {isFull && !isOwner && <p className="mt-0.5 text-label text-fg-2">{t.saved.askOwner}</p>}
    </div>
  );
}

function Durable({ saved, isOwner }: { saved: SavedState; isOwner: boolean }) {
  const now = useNow("second");
  const { sessionId } = useSessionHandle().core;
  const head = useTimeline(sessionId).data?.pages[0]?.entries.find((entry) => entry.snapshotId === saved.snapshotId);
  const dependencyBytes = head?.dependencyBytes ?? 0;
  return (
    <>
      <p className="font-medium">{t.saved.durable(formatCount(saved.throughSeq))}</p>
      <p className="tabular text-label text-fg-2">
        {t.saved.snapshot} <span className="font-mono">{shortId(saved.snapshotId)}</span> ·{" "}
        <time dateTime={new Date(saved.at).toISOString()} title={formatExact(saved.at)}>
          {secondsAgo(saved.at, now) ?? formatAgo(saved.at, Math.max(now, saved.at))}
        </time>
      </p>
      <p className="mt-1 text-fg-2">{t.saved.safe}</p>
      <p className="tabular mt-1 text-label text-fg-3">
        {t.saved.size(saved.treeFiles, head === undefined ? null : formatBytes(head.treeBytes), formatBytes(saved.storedBytes))}
        {isOwner && <InAll sessionId={sessionId} snapshotId={saved.snapshotId} />}
      </p>
      {dependencyBytes > 0 && <p className="tabular mt-1 text-label text-fg-3">{t.saved.dependencies(formatBytes(dependencyBytes))}</p>}
      <LeftOut leftOut={dependencyBytes > 0 ? saved.leftOut.filter(({ reason }) => reason !== "dependencies") : saved.leftOut} />
    </>
  );
}

/** Of all states of this session together, as the directory has it. */
function InAll({ sessionId, snapshotId }: { sessionId: string; snapshotId: string }) {
  const { data } = useQuery({
    queryKey: ["session", sessionId, "stored", snapshotId],
    retry: false,
    queryFn: () => api.get<SessionBody>(`/api/sessions/${encodeURIComponent(sessionId)}`),
  });
  return data === undefined || data.storedBytes === 0 ? null : ` ${t.saved.inAll(formatBytes(data.storedBytes))}`;
}

function LeftOut({ leftOut }: { leftOut: SavedState["leftOut"] }) {
  if (leftOut.length === 0) return null;
  return (
    <div className="mt-2 border-t border-line pt-2">
      <p className="text-fg-2">{t.saved.leftOut(leftOut.length)}</p>
      <dl className="mt-1 flex max-h-44 flex-col gap-1.5 overflow-y-auto text-label">
        {leftOutGroups(leftOut).map(({ reason, paths: names }) => (
          <div key={reason}>
            <dt className="text-fg-2">{t.saved.reason[reason]}</dt>
            {names.slice(0, LISTED_PATHS).map((name) => (
              <dd key={name} title={name} className="truncate pl-3 font-mono text-fg-3">
                {name}
              </dd>
            ))}
            {names.length > LISTED_PATHS && <dd className="pl-3 text-fg-3">{t.saved.more(formatCount(names.length - LISTED_PATHS))}</dd>}
          </div>
        ))}
      </dl>
    </div>
  );
}

function SaveNow() {
  const actions = useActions();
  const [isSaving, setIsSaving] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  const save = () => {
    setIsSaving(true);
    setFailure(null);
    actions
      .save()
      .catch((error: unknown) => setFailure(failureMessage(error)))
      .finally(() => setIsSaving(false));
  };
  return (
    <div className="mt-3">
      <Button size="sm" disabled={isSaving} onClick={save}>
        {isSaving ? t.saved.saving : t.saved.now}
      </Button>
      {failure !== null && (
        <p role="alert" className="mt-1 text-label text-bad">
          {failure}
        </p>
      )}
    </div>
  );
}
