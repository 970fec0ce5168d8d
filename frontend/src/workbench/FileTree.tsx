/** The lazy tree: a folder's entries are asked for when it is opened. Keys follow the ARIA tree pattern. */
import { ChevronRight, File, Folder, FolderOpen, Link2 } from "lucide-react";
import { useQueries } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState, type KeyboardEvent } from "react";
import { useActions } from "../session/use-session.ts";
import { classes } from "../ui/classes.ts";
import { t } from "./messages.ts";
import { PanelFailure, PanelNote, Skeleton } from "./PanelStates.tsx";
import { treeKey, treeRows, type Folders, type TreeRow } from "./tree-rows.ts";
import { useWorkspace } from "./use-workspace.ts";

function useFolders(sessionId: string, open: ReadonlySet<string>) {
  const actions = useActions();
  const { canRead, source } = useWorkspace();
  const paths = ["", ...open];
  return useQueries({
    queries: paths.map((path) => ({
      queryKey: ["session", sessionId, "workspace", source, { kind: "tree", path }, ""],
      enabled: canRead,
      staleTime: 5_000,
      retry: false,
      refetchOnWindowFocus: false,
      queryFn: async () => {
        const result = await actions.query({ kind: "tree", path });
        if (result.kind !== "tree") throw new Error("the answer does not fit the question");
        return result;
      },
    })),
    combine: (results) => ({
      folders: new Map(
        results.flatMap((result) => (result.data === undefined ? [] : [[result.data.path, result.data.entries] as const])),
      ) satisfies Folders,
      error: results[0]?.error ?? null,
      isTruncated: results.some((result) => result.data?.truncated === true),
      isPending: results[0]?.data === undefined,
      refetch: () => void Promise.all(results.map((result) => result.refetch())),
    }),
  });
}

function RowIcon({ row }: { row: TreeRow }) {
  const look = "size-3.5 flex-none stroke-[1.75] text-fg-3";
  if (row.kind === "folder") return row.isOpen ? <FolderOpen aria-hidden className={look} /> : <Folder aria-hidden className={look} />;
  return row.kind === "link" ? <Link2 aria-hidden className={look} /> : <File aria-hidden className={look} />;
}

export interface FileTreeProps {
  sessionId: string;
  selected: string | null;
  initiallyOpen: readonly string[];
  /** Changes when the tree is to be read again. */
  refreshKey: number;
  onOpenFile: (path: string) => void;
}

export function FileTree({ sessionId, selected, initiallyOpen, refreshKey, onOpenFile }: FileTreeProps) {
  const { canRead } = useWorkspace();
  const [open, setOpen] = useState<ReadonlySet<string>>(() => new Set(initiallyOpen));
  const [active, setActive] = useState<string | null>(null);
  const tree = useRef<HTMLDivElement>(null);
  const { folders, error, isTruncated, isPending, refetch } = useFolders(sessionId, open);
  const rows = useMemo(() => treeRows(folders, open), [folders, open]);
  const activePath = rows.some((row) => row.path === active)
    ? active
    : (rows.find((row) => row.path === selected)?.path ?? rows[0]?.path ?? null);

  const lastRefresh = useRef(refreshKey);
  useEffect(() => {
    if (lastRefresh.current === refreshKey) return;
    lastRefresh.current = refreshKey;
    refetch();
  });

  const toggle = (path: string) =>
    setOpen((before) => {
      const next = new Set(before);
      if (!next.delete(path)) next.add(path);
      return next;
    });
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const move = treeKey(rows, activePath, event.key);
    if (move.type === "none") return;
    event.preventDefault();
    if (move.type === "toggle") toggle(move.path);
    else if (move.type === "open_file") onOpenFile(move.path);
    else {
      setActive(move.path);
      tree.current?.querySelector<HTMLElement>(`[data-path="${CSS.escape(move.path)}"]`)?.focus();
    }
  };

  if (error !== null && isPending) return <PanelFailure error={error} onRetry={refetch} />;
  if (isPending) return canRead ? <Skeleton lines={8} /> : null;
  if (rows.length === 0) return <PanelNote title={t.files.empty} />;
  return (
    <>
      {/* oxlint-disable jsx-a11y/interactive-supports-focus, jsx-a11y/click-events-have-key-events -- the tree's rows take the focus in turn, and the tree answers their keys */}
      <div ref={tree} role="tree" aria-label={t.files.tree} onKeyDown={onKeyDown} className="py-1">
        {rows.map((row) => (
          <div
            key={row.path}
            role="treeitem"
            data-path={row.path}
            aria-level={row.level}
            aria-posinset={row.position}
            aria-setsize={row.siblings}
            aria-selected={row.path === selected}
            {...(row.kind === "folder" ? { "aria-expanded": row.isOpen } : {})}
            tabIndex={row.path === activePath ? 0 : -1}
            onClick={() => {
              setActive(row.path);
              if (row.kind === "folder") toggle(row.path);
              else onOpenFile(row.path);
            }}
            style={{ paddingLeft: 8 + (row.level - 1) * 14 }}
            className={classes(
              "flex h-7 cursor-pointer items-center gap-1.5 pr-3 text-ui select-none hover:bg-hover focus-visible:outline-offset-[-2px] pointer-coarse:h-11",
              row.path === selected && "bg-accent-soft",
              row.ignored && "text-fg-3",
            )}
          >
            <ChevronRight
              aria-hidden
              className={classes(
                "size-3.5 flex-none stroke-[1.75] text-fg-3 transition-transform",
                row.isOpen && "rotate-90",
                row.kind !== "folder" && "invisible",
              )}
            />
            <RowIcon row={row} />
            <span className="truncate">{row.name}</span>
            {row.ignored && <span className="sr-only">{t.files.ignored}</span>}
          </div>
        ))}
      </div>
      {/* oxlint-enable jsx-a11y/interactive-supports-focus, jsx-a11y/click-events-have-key-events */}
      {isTruncated && <p className="px-3 py-2 text-label text-fg-2">{t.truncated}</p>}
    </>
  );
}
