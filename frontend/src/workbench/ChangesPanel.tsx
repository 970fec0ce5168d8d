/** What differs from where the session began: one card a file, its lines asked for when the card comes into sight. */
import type { ChangedFile } from "@ai-dev-platform/protocol/events";
import { ChevronRight, ExternalLink } from "lucide-react";
import { memo, useEffect, useRef, useState, type RefObject } from "react";
import { useShortcuts } from "../keyboard/use-shortcuts.ts";
import { useSessionState } from "../session/use-session.ts";
import { Diff } from "../transcript/Diff.tsx";
import { IconButton } from "../ui/button.tsx";
import { classes } from "../ui/classes.ts";
import { formatCount } from "../ui/format.ts";
import { t } from "./messages.ts";
import { AsleepStrip, PanelFailure, PanelNote, PathLabel, Skeleton } from "./PanelStates.tsx";
import { useWorkspace, useWorkspaceQuery } from "./use-workspace.ts";
import { isViewed, loadViewed, saveViewed, toggleViewed, type Viewed } from "./viewed.ts";

/** A file with more changed lines than this starts closed. */
const LARGE_LINES = 400;

export interface ChangesPanelProps {
  sessionId: string;
  /** The file to show first, from the address. */
  file: string | null;
  onOpenFile: (path: string) => void;
}

export function Counts({ additions, deletions }: { additions: number; deletions: number }) {
  if (additions < 0) return null;
  return (
    <span className="tabular flex-none font-mono text-label">
      <span className="sr-only">
        {t.changes.added(formatCount(additions))}, {t.changes.deleted(formatCount(deletions))}
      </span>
      <span aria-hidden>
        <span className="text-ok">+{additions}</span> <span className="text-bad">−{deletions}</span>
      </span>
    </span>
  );
}

/** True from the first moment that the element is near the screen. */
function useSeen(element: RefObject<HTMLElement | null>): boolean {
  const [isSeen, setIsSeen] = useState(false);
  useEffect(() => {
    if (isSeen || element.current === null) return;
    const observer = new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && setIsSeen(true), {
      rootMargin: "400px",
    });
    observer.observe(element.current);
    return () => observer.disconnect();
  }, [element, isSeen]);
  return isSeen;
}

function Patch({ sessionId, file }: { sessionId: string; file: ChangedFile }) {
  const element = useRef<HTMLDivElement>(null);
  const isSeen = useSeen(element);
  const { isAwake } = useWorkspace();
  const version = `${file.status}:${file.additions}:${file.deletions}`;
  const query = useWorkspaceQuery(sessionId, { kind: "patch", path: file.path }, { enabled: isSeen && file.additions >= 0, version });
  const data = query.data?.path === file.path ? query.data : undefined;
  return (
    <div ref={element} className="border-t border-line">
      {file.additions < 0 ? (
        <p className="px-3 py-2 text-label text-fg-2">{t.changes.binary}</p>
      ) : data !== undefined ? (
        <div className="overflow-x-auto">
          <Diff patch={data.patch} path={file.path} lineNumbers />
          {data.truncated && <p className="border-t border-line px-3 py-1.5 text-label text-fg-2">{t.truncated}</p>}
        </div>
      ) : query.isError ? (
        <PanelFailure error={query.error} onRetry={() => void query.refetch()} />
      ) : isAwake ? (
        <Skeleton lines={Math.min(8, file.additions + file.deletions + 2)} />
      ) : (
        <p className="px-3 py-2 text-label text-fg-2">{t.asleep.files}</p>
      )}
    </div>
  );
}

interface FileCardProps {
  sessionId: string;
  file: ChangedFile;
  viewed: boolean;
  isOpen: boolean;
  onToggleOpen: (path: string) => void;
  onToggleViewed: (file: ChangedFile) => void;
  onOpenFile: (path: string) => void;
}

const FileCard = memo(function FileCard({ sessionId, file, viewed, isOpen, onToggleOpen, onToggleViewed, onOpenFile }: FileCardProps) {
  return (
    <li data-path={file.path} className="overflow-hidden rounded-card border border-line bg-surface">
      <div className="flex h-9 items-center gap-1.5 bg-sunken pr-2 pl-1 pointer-coarse:h-12">
        <button
          type="button"
          aria-expanded={isOpen}
          onClick={() => onToggleOpen(file.path)}
          className="flex h-full min-w-0 flex-1 items-center gap-1.5 rounded-control pl-1 text-left"
        >
          <ChevronRight
            aria-hidden
            className={classes("size-3.5 flex-none stroke-[1.75] text-fg-3 transition-transform", isOpen && "rotate-90")}
          />
          <span className="sr-only">{t.changes.status[file.status]}: </span>
          <PathLabel path={file.path} />
          {file.status !== "modified" && <span className="flex-none text-label text-fg-3">{t.changes.status[file.status]}</span>}
        </button>
        <Counts additions={file.additions} deletions={file.deletions} />
        {file.status !== "deleted" && (
          <IconButton size="sm" label={t.changes.open} onClick={() => onOpenFile(file.path)}>
            <ExternalLink />
          </IconButton>
        )}
        <label className="flex h-7 items-center gap-1.5 rounded-control px-1 text-label text-fg-2 pointer-coarse:h-11">
          <input type="checkbox" className="size-4 accent-ink" checked={viewed} onChange={() => onToggleViewed(file)} />
          <span className="max-md:sr-only">{t.changes.viewed}</span>
        </label>
      </div>
      {isOpen && <Patch sessionId={sessionId} file={file} />}
    </li>
  );
});

function useViewedFiles(sessionId: string) {
  const [viewed, setViewed] = useState<Viewed>(() => loadViewed(sessionId));
  const toggle = (file: ChangedFile) =>
    setViewed((before) => {
      const next = toggleViewed(before, file);
      saveViewed(sessionId, next);
      return next;
    });
  return { viewed, toggle };
}

/** The card at the top of the list, for the keys that walk files. */
function cardAt(list: HTMLElement, step: -1 | 0 | 1): HTMLElement | null {
  const cards = [...list.querySelectorAll<HTMLElement>("[data-path]")];
  const focused = cards.findIndex((card) => card.contains(document.activeElement));
  const top = list.getBoundingClientRect().top;
  const shown = focused >= 0 ? focused : cards.findIndex((card) => card.getBoundingClientRect().bottom > top + 12);
  return cards[Math.min(cards.length - 1, Math.max(0, shown + step))] ?? null;
}

export function ChangesPanel({ sessionId, file: wanted, onOpenFile }: ChangesPanelProps) {
  const state = useSessionState();
  const { isAwake } = useWorkspace();
  const list = useRef<HTMLOListElement>(null);
  const { viewed, toggle } = useViewedFiles(sessionId);
  const [toggled, setToggled] = useState<ReadonlyMap<string, boolean>>(new Map());
  const files = state?.changes.files ?? [];

  useEffect(() => {
    if (wanted !== null) list.current?.querySelector(`[data-path="${CSS.escape(wanted)}"]`)?.scrollIntoView({ block: "start" });
  }, [wanted]);

  const isOpen = (file: ChangedFile) =>
    toggled.get(file.path) ??
    (isAwake && (file.path === wanted || (!isViewed(viewed, file) && file.additions + file.deletions <= LARGE_LINES)));
  const walk = (step: -1 | 1) => {
    const card = list.current && cardAt(list.current, step);
    card?.querySelector("button")?.focus({ preventScroll: true });
    card?.scrollIntoView({ block: "start" });
  };
  useShortcuts({
    next_file: () => walk(1),
    previous_file: () => walk(-1),
    viewed: () => {
      const path = list.current && cardAt(list.current, 0)?.dataset.path;
      const file = files.find((candidate) => candidate.path === path);
      if (file !== undefined) toggle(file);
    },
  });

  if (files.length === 0) return <PanelNote title={t.changes.none}>{t.changes.noneHint}</PanelNote>;
  const additions = files.reduce((sum, file) => sum + Math.max(0, file.additions), 0);
  const deletions = files.reduce((sum, file) => sum + Math.max(0, file.deletions), 0);
  const viewedCount = files.filter((file) => isViewed(viewed, file)).length;
  const toggleOpen = (path: string) => {
    const file = files.find((candidate) => candidate.path === path);
    if (file !== undefined) setToggled((before) => new Map(before).set(path, !isOpen(file)));
  };
  return (
    <div className="flex h-full min-h-0 flex-col">
      {!isAwake && <AsleepStrip text={t.asleep.changes} />}
      <div className="flex min-h-9 flex-none flex-wrap items-center gap-x-3 px-3 text-label text-fg-2">
        <span className="max-w-52 truncate" title={state?.changes.base}>
          {t.changes.vs(baseName(state?.changes.base ?? ""))}
        </span>
        <span className="tabular">{t.changes.files(formatCount(files.length), files.length === 1)}</span>
        <Counts additions={additions} deletions={deletions} />
        <span className="tabular ml-auto">{t.changes.viewedOf(viewedCount, files.length)}</span>
      </div>
      <ol ref={list} className="min-h-0 flex-1 space-y-3 overflow-y-auto overscroll-contain px-3 pb-4">
        {files.map((file) => (
          <FileCard
            key={file.path}
            sessionId={sessionId}
            file={file}
            viewed={isViewed(viewed, file)}
            isOpen={isOpen(file)}
            onToggleOpen={toggleOpen}
            onToggleViewed={toggle}
            onOpenFile={onOpenFile}
          />
        ))}
      </ol>
    </div>
  );
}

/** A name is worth showing; an object's hash tells a reader nothing. */
const baseName = (base: string): string => (/^[0-9a-f]{7,64}$/.test(base) ? "" : base);
