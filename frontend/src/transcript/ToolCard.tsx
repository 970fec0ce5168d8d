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
import { memo, use, useMemo, type ReactNode } from "react";
import { Link, useLocation } from "wouter";
import { useDisclosure, useRow } from "../session/use-session.ts";
import { formatDuration } from "../ui/format.ts";
import { Elapsed } from "../ui/time.tsx";
import { Diff } from "./Diff.tsx";
import { countPatch } from "./diff-lines.ts";
import { Markdown } from "./Markdown.tsx";
import { t } from "./messages.ts";
import { Output } from "./Output.tsx";
import { ReadOnlyContext } from "./read-only.ts";
import { RowContent } from "./RowContent.tsx";
import type { ToolRow } from "./rows.ts";
import { splitPath, tasksOf, viewTool, type ToolIcon, type ToolView } from "./tool-view.ts";

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
          <Body row={row} view={view} />
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

function Body({ row, view }: { row: ToolRow; view: ToolView }): ReactNode {
  const { result } = row;
  const command = typeof row.input["command"] === "string" && row.input["command"].includes("\n") ? row.input["command"] : undefined;
  switch (view.body) {
    case "diff":
      return <Diff patch={result?.patch ?? ""} path={view.path ?? undefined} />;
    case "tasks":
      return <Tasks row={row} />;
    case "children":
      return (
        <>
          <Children ids={row.childIds} />
          {result !== null && result.output.trim() !== "" && (
            <div className="px-3 py-2">
              <Markdown text={result.output} />
            </div>
          )}
        </>
      );
    case "input":
      return (
        <>
          <pre className="output-command">{JSON.stringify(row.input, null, 2)}</pre>
          {result !== null && <Output text={result.output} omittedChars={result.omittedChars} />}
        </>
      );
    default:
      return (
        <>
          {row.childIds.length > 0 && <Children ids={row.childIds} />}
          {result === null ? (
            <pre className="output-command">{command ?? view.argument}</pre>
          ) : (
            <Output text={result.output} omittedChars={result.omittedChars} command={command} />
          )}
        </>
      );
  }
}

const Children = ({ ids }: { ids: readonly string[] }) => (
  <div className="tool-children">
    {ids.map((id) => (
      <Child key={id} id={id} />
    ))}
  </div>
);

function Child({ id }: { id: string }) {
  const row = useRow(id);
  return row === undefined ? null : <RowContent row={row} />;
}

function Tasks({ row }: { row: ToolRow }) {
  return (
    <ul className="tasks">
      {tasksOf(row).map((task, index) => (
        // oxlint-disable-next-line react/no-array-index-key -- a task has no name of its own; the list is drawn as a whole
        <li key={index} data-status={task.status}>
          {task.text}
        </li>
      ))}
    </ul>
  );
}
