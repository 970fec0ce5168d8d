/** One step: a line of 32 px that opens to what the tool did. A sub-agent opens to its own steps. */
import {
  Bot,
  Check,
  ChevronRight,
  FileText,
  Globe,
  ListChecks,
  Map as MapIcon,
  MessageCircleQuestion,
  Pencil,
  Plug,
  Search,
  SquareDashed,
  SquareTerminal,
  X,
  type LucideIcon,
} from "lucide-react";
import { lazy, memo, Suspense, use, useMemo } from "react";
import { Link, useLocation } from "wouter";
import { useDisclosure } from "../session/use-session.ts";
import { formatDuration } from "../ui/format.ts";
import { Elapsed } from "../ui/time.tsx";
import { countPatch } from "./count-patch.ts";
import { t } from "./messages.ts";
import { ReadOnlyContext } from "./read-only.ts";
import type { ToolRow } from "./rows.ts";
import { splitPath, tasksOf, viewTool, type ToolIcon, type ToolView } from "./tool-view.ts";

/** What is inside comes with the first card that is opened. */
const ToolBody = lazy(() => import("./ToolBody.tsx"));

const ICONS: Record<ToolIcon, LucideIcon> = {
  terminal: SquareTerminal,
  file: FileText,
  edit: Pencil,
  search: Search,
  globe: Globe,
  agent: Bot,
  tasks: ListChecks,
  plug: Plug,
  question: MessageCircleQuestion,
  plan: MapIcon,
  step: SquareDashed,
};

export const ToolCard = memo(function ToolCard({ row }: { row: ToolRow }) {
  const view = viewTool(row);
  const [isOpen, setOpen] = useDisclosure(row);
  const canOpen = hasBody(row, view);
  const Icon = ICONS[view.icon];
  const line = (
    <>
      <ChevronRight className="tool-chevron" data-hidden={!canOpen || undefined} aria-hidden="true" />
      <Icon className="tool-icon" aria-hidden="true" />
      <span className="tool-verb">{view.verb === "" ? t.tool.unknown : view.verb}</span>
      <Argument view={view} />
      <Facts row={row} />
    </>
  );
  return (
    <div className="tool" data-open={(canOpen && isOpen) || undefined}>
      {canOpen ? (
        <button type="button" className="tool-line" aria-expanded={isOpen} data-toggle="" onClick={() => setOpen(!isOpen)}>
          {line}
        </button>
      ) : (
        <div className="tool-line">{line}</div>
      )}
      {canOpen && isOpen && (
        <div className="tool-body">
          {/* About as high as what most often comes. */}
          <Suspense fallback={<div className="h-10" />}>
            <ToolBody row={row} view={view} />
          </Suspense>
        </div>
      )}
    </div>
  );
});

function hasBody(row: ToolRow, view: ToolView): boolean {
  if (row.childIds.length > 0) return true;
  switch (view.body) {
    case "none":
      return false;
    case "diff":
      return row.result?.patch != null;
    case "tasks":
      return tasksOf(row).length > 0;
    case "input":
      return true;
    default:
      return row.result !== null || view.argument.includes("⏎");
  }
}

function Argument({ view }: { view: ToolView }) {
  const isReadOnly = use(ReadOnlyContext);
  if (view.path === null)
    return (
      <span className="tool-argument" title={view.argument}>
        {view.argument}
      </span>
    );
  // A card that opens is a button already; only a line that does not can hold a link.
  const isLink = view.body === "none" && !isReadOnly;
  return isLink ? <FileLink path={view.path} line={view.line} /> : <PathText path={view.path} />;
}

function PathText({ path }: { path: string }) {
  const { folder, name } = splitPath(path);
  return (
    <span className="tool-argument tool-path" title={path}>
      <span className="tool-folder">{folder}</span>
      <span className="tool-name">{name}</span>
    </span>
  );
}

/** Shows the file in the Files panel, at the line that was read. */
function FileLink({ path, line }: { path: string; line: number | null }) {
  const [page] = useLocation();
  const place = new URLSearchParams({ panel: "files", file: path, ...(line === null ? {} : { line: String(line) }) });
  return (
    <Link href={`${page}?${place.toString()}`} className="tool-link">
      <PathText path={path} />
    </Link>
  );
}

function Facts({ row }: { row: ToolRow }) {
  const { result } = row;
  const patch = result?.patch ?? null;
  const counts = useMemo(() => (patch === null ? null : countPatch(patch)), [patch]);
  return (
    <span className="tool-facts">
      {row.childIds.length > 0 && <span>{t.tool.inside(row.childIds.length)}</span>}
      {counts !== null && (
        <>
          <span className="text-ok">+{counts.added}</span>
          <span className="text-bad">−{counts.removed}</span>
        </>
      )}
      {result !== null && <span>{formatDuration(result.durationMs)}</span>}
      <Mark row={row} />
    </span>
  );
}

function Mark({ row }: { row: ToolRow }) {
  if (row.result?.ok === true)
    return (
      <>
        <Check className="tool-mark text-ok" aria-hidden="true" />
        <span className="sr-only">{t.tool.ok}</span>
      </>
    );
  if (row.result !== null)
    return (
      <>
        <X className="tool-mark text-bad" aria-hidden="true" />
        <span className="text-bad">{t.tool.failed}</span>
      </>
    );
  if (row.isInterrupted) return <span className="text-warn">{t.tool.interrupted}</span>;
  return (
    <>
      <Elapsed since={row.at} />
      <span className="live-dot" aria-hidden="true" />
      <span className="sr-only">{t.tool.running}</span>
    </>
  );
}
