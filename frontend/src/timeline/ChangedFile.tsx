/** One file that differs between two states; its lines are asked for when it is opened. */
import type { SnapshotChange } from "@ai-dev-platform/protocol/queries";
import { ChevronRight } from "lucide-react";
import { useState } from "react";
import { Diff } from "../transcript/Diff.tsx";
import { classes } from "../ui/classes.ts";
import { formatBytes } from "../ui/format.ts";
import { PanelFailure, PathLabel, Skeleton } from "../workbench/PanelStates.tsx";
import { t } from "./messages.ts";
import type { Pair } from "./state-changes.ts";
import { useStatePatch } from "./use-timeline.ts";

const GLYPHS = { added: "+", modified: "±", deleted: "−" } as const;
const TONES = { added: "text-ok", modified: "text-fg-3", deleted: "text-bad" } as const;

function sizeWords({ bytesBefore, bytesAfter }: SnapshotChange): string {
  if (bytesBefore === null || bytesAfter === null) return formatBytes(bytesAfter ?? bytesBefore ?? 0);
  const [before, after] = [formatBytes(bytesBefore), formatBytes(bytesAfter)];
  return before === after ? after : t.changes.fromTo(before, after);
}

function Lines({ sessionId, pair, path }: { sessionId: string; pair: Pair; path: string }) {
  const query = useStatePatch(sessionId, pair, path);
  if (query.data === undefined)
    return query.isError ? <PanelFailure error={query.error} onRetry={() => void query.refetch()} /> : <Skeleton lines={4} />;
  return (
    <>
      <Diff patch={query.data.patch} path={path} lineNumbers />
      {query.data.truncated && <p className="border-t border-line px-3 py-1.5 text-label text-fg-2">{t.changes.patchTruncated}</p>}
    </>
  );
}

export function ChangedFile({ sessionId, pair, file }: { sessionId: string; pair: Pair; file: SnapshotChange }) {
  const [isOpen, setIsOpen] = useState(false);
  return (
    <li className="border-t border-line first:border-t-0">
      <button
        type="button"
        aria-expanded={isOpen}
        onClick={() => setIsOpen(!isOpen)}
        className="flex min-h-7 w-full items-center gap-1.5 px-2 text-left -outline-offset-2 hover:bg-hover pointer-coarse:min-h-11"
      >
        <ChevronRight
          aria-hidden
          className={classes("size-3.5 flex-none stroke-[1.75] text-fg-3 transition-transform", isOpen && "rotate-90")}
        />
        <span aria-hidden className={classes("w-3 flex-none text-center font-mono text-mono", TONES[file.status])}>
          {GLYPHS[file.status]}
        </span>
        <span className="sr-only">{t.changes.status[file.status]}: </span>
        <PathLabel path={file.path} />
        <span className="tabular ml-auto flex-none pl-2 text-label whitespace-nowrap text-fg-3">{sizeWords(file)}</span>
      </button>
      {isOpen && (
        <div className="overflow-x-auto border-t border-line bg-surface">
          <Lines sessionId={sessionId} pair={pair} path={file.path} />
        </div>
      )}
    </li>
  );
}
