/**
 * Questions to the workspace, cached per session and by what answers them: the runner while one is there, else the newest
 * saved state, read by the session itself. Looking never starts a runner (SPEC RO4). A new runner or a new state means new
 * files, so that either is part of every key.
 */
import type { Query, QueryResult } from "@ai-dev-platform/protocol/queries";
import { keepPreviousData, useQuery, type UseQueryResult } from "@tanstack/react-query";
import { isStarting } from "../session-page/page-state.ts";
import { useActions, useSessionSelector } from "../session/use-session.ts";

type ResultOf<K extends Query["kind"]> = Extract<QueryResult, { kind: K }>;

const isOf = <K extends Query["kind"]>(kind: K, result: QueryResult): result is ResultOf<K> => result.kind === kind;

export interface Workspace {
  isAwake: boolean;
  isStarting: boolean;
  /** Stopped in good order, with all saved. */
  isAsleep: boolean;
  /** There is nobody to be waited for: asking for a runner makes sense. */
  canWake: boolean;
  /** Files can be read: a runner is there, or a saved state is. */
  canRead: boolean;
  /** Names what answers. */
  source: string;
  saved: { throughSeq: number; at: number } | null;
}

const UNKNOWN: Workspace = {
  isAwake: false,
  isStarting: false,
  isAsleep: false,
  canWake: false,
  canRead: false,
  source: "",
  saved: null,
};

/** What the session answers from a saved state when no runner is there. */
const READ_ASLEEP: ReadonlySet<Query["kind"]> = new Set(["tree", "file", "find"]);

export const useWorkspace = (): Workspace =>
  useSessionSelector(({ host, saved }) => ({
    isAwake: host.state === "ready",
    isStarting: isStarting(host.state),
    isAsleep: host.state === "asleep",
    canWake: host.state !== "ready" && host.state !== "degraded" && !isStarting(host.state),
    canRead: host.state === "ready" || saved !== null,
    source: host.state === "ready" ? `run ${host.incarnation}` : `saved ${saved?.snapshotId ?? ""}`,
    saved,
  })) ?? UNKNOWN;

export interface WorkspaceQueryOptions {
  enabled?: boolean;
  /** What the answer depends on beside the question, e.g. how much of a file has changed. */
  version?: string;
}

/** `sessionId` keys the cache; the question itself goes over the session's own socket. */
export function useWorkspaceQuery<K extends Query["kind"]>(
  sessionId: string,
  query: Extract<Query, { kind: K }>,
  options: WorkspaceQueryOptions = {},
): UseQueryResult<ResultOf<K>> {
  const actions = useActions();
  const { isAwake, canRead, source } = useWorkspace();
  const kind: K = query.kind;
  return useQuery({
    queryKey: ["session", sessionId, "workspace", source, query, options.version ?? ""],
    enabled: (READ_ASLEEP.has(kind) ? canRead : isAwake) && (options.enabled ?? true),
    staleTime: 5_000,
    retry: false,
    refetchOnWindowFocus: false,
    placeholderData: keepPreviousData,
    queryFn: async () => {
      const result = await actions.query(query);
      if (!isOf(kind, result)) throw new Error("the answer does not fit the question");
      return result;
    },
  });
}
