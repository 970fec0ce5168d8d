/** What changed in a saved state: since the one before it, or against any other that is listed. */
import type { TimelineEntry } from "@ai-dev-platform/protocol/queries";
import { useState } from "react";
import { Button } from "../ui/button.tsx";
import { formatBytes, formatCount } from "../ui/format.ts";
import { Select } from "../ui/select.tsx";
import { PanelFailure, Skeleton } from "../workbench/PanelStates.tsx";
import { ChangedFile } from "./ChangedFile.tsx";
import { t } from "./messages.ts";
import { countChanges, pairOf, type Pair } from "./state-changes.ts";
import { useStateChanges } from "./use-timeline.ts";

/** Files listed before the rest has to be asked for: a card stays readable. */
const FIRST_FILES = 50;
const PREVIOUS = "";
/** A label in a list of choices, so that a phone's picker shows its step. */
const MAX_CHOICE_CHARS = 48;

const step = (entry: TimelineEntry): string => formatCount(entry.throughSeq);

function choiceOf(entry: TimelineEntry) {
  const label = entry.isHead ? t.now : entry.label;
  const short = label.length > MAX_CHOICE_CHARS ? `${label.slice(0, MAX_CHOICE_CHARS - 1)}…` : label;
  return { value: entry.snapshotId, label: t.changes.choice(t.step(step(entry)), short) };
}

export function StateChanges({ sessionId, entry, others }: { sessionId: string; entry: TimelineEntry; others: readonly TimelineEntry[] }) {
  const [chosenId, setChosenId] = useState(PREVIOUS);
  const pair = pairOf(entry, others.find((other) => other.snapshotId === chosenId) ?? null);
  return (
    <div className="flex flex-col gap-2">
      {others.length > 0 && (
        <Select
          label={t.changes.compare}
          value={chosenId}
          onChange={setChosenId}
          options={[{ value: PREVIOUS, label: t.changes.before }, ...others.map(choiceOf)]}
        />
      )}
      <PairChanges key={`${pair.from?.snapshotId ?? ""}:${pair.to.snapshotId}`} sessionId={sessionId} pair={pair} />
    </div>
  );
}

function PairChanges({ sessionId, pair }: { sessionId: string; pair: Pair }) {
  const query = useStateChanges(sessionId, pair);
  const [showsAll, setShowsAll] = useState(false);
  if (query.data === undefined)
    return query.isError ? <PanelFailure error={query.error} onRetry={() => void query.refetch()} /> : <Skeleton lines={3} />;
  const { files, truncated, fromId } = query.data;
  const heading =
    pair.from !== null ? t.changes.between(step(pair.from), step(pair.to)) : fromId === null ? t.changes.first : t.changes.sinceBefore;
  const counts = countChanges(files);
  const shown = showsAll ? files : files.slice(0, FIRST_FILES);
  return (
    <div>
      <p className="text-label text-fg-2">
        <span className="font-medium">{heading}</span>
        {files.length > 0 && (
          <span className="tabular block text-fg-3">
            {[t.changes.counts(counts.added, counts.modified, counts.deleted), growth(counts.bytes)].filter(Boolean).join(" · ")}
          </span>
        )}
      </p>
      {files.length === 0 ? (
        <p className="mt-1 text-label text-fg-3">
          {t.changes.none} {pair.from === null && t.changes.noneHint}
        </p>
      ) : (
        <ul aria-label={t.changes.list} className="mt-1.5 overflow-hidden rounded-control border border-line">
          {shown.map((file) => (
            <ChangedFile key={file.path} sessionId={sessionId} pair={pair} file={file} />
          ))}
        </ul>
      )}
      {shown.length < files.length && (
        <Button size="sm" className="mt-2" onClick={() => setShowsAll(true)}>
          {t.changes.more(files.length - shown.length)}
        </Button>
      )}
      {truncated && <p className="mt-1 text-label text-fg-2">{t.changes.truncated(files.length)}</p>}
    </div>
  );
}

const growth = (bytes: number): string =>
  bytes === 0 ? "" : bytes > 0 ? t.changes.grew(formatBytes(bytes)) : t.changes.shrank(formatBytes(-bytes));
