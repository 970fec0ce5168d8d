/**
 * Questions to the workspace, cached per session and runner. They are asked only while a runner is there: looking never
 * starts one (SPEC RO4). A new runner means new files, so its incarnation is part of every key.
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
  incarnation: number;
}

const ASLEEP: Workspace = { isAwake: false, isStarting: false, isAsleep: false, canWake: false, incarnation: 0 };

export const useWorkspace = (): Workspace =>
  useSessionSelector(({ host }) => ({
    isAwake: host.state === "ready",
    isStarting: isStarting(host.state),
    isAsleep: host.state === "asleep",
    canWake: host.state !== "ready" && host.state !== "degraded" && !isStarting(host.state),
    incarnation: host.incarnation,
  })) ?? ASLEEP;

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
  const { isAwake, incarnation } = useWorkspace();
  const kind: K = query.kind;
  return useQuery({
    queryKey: ["session", sessionId, "workspace", incarnation, query, options.version ?? ""],
    enabled: isAwake && (options.enabled ?? true),
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
