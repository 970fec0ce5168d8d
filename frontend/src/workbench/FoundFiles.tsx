import { t } from "./messages.ts";
import { PanelFailure, PanelNote, PathLabel, Skeleton } from "./PanelStates.tsx";
import { useWorkspaceQuery } from "./use-workspace.ts";

/** Paths that match what is typed. */
export function FoundFiles({ sessionId, text, onOpenFile }: { sessionId: string; text: string; onOpenFile: (path: string) => void }) {
  const query = useWorkspaceQuery(sessionId, { kind: "find", text });
  if (query.isError) return <PanelFailure error={query.error} onRetry={() => void query.refetch()} />;
  if (query.data === undefined) return <Skeleton lines={4} />;
  if (query.data.paths.length === 0) return <PanelNote title={t.files.noMatch} />;
  return (
    <ul className="py-1">
      {query.data.paths.map((path) => (
        <li key={path}>
          <button
            type="button"
            onClick={() => onOpenFile(path)}
            className="flex h-7 w-full items-center px-3 text-left hover:bg-hover focus-visible:outline-offset-[-2px] pointer-coarse:h-11"
          >
            <PathLabel path={path} />
          </button>
        </li>
      ))}
    </ul>
  );
}
