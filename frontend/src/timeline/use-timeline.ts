/** Saved states and what differs between them, asked of the session itself: nothing is woken (SPEC RO4). */
import type { Query, QueryResult } from "@ai-dev-platform/protocol/queries";
import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useActions, useSessionSelector } from "../session/use-session.ts";
import type { SessionActions } from "../session/actions.ts";
import type { Pair } from "./state-changes.ts";

type ResultOf<K extends Query["kind"]> = Extract<QueryResult, { kind: K }>;

const isOf = <K extends Query["kind"]>(kind: K, result: QueryResult): result is ResultOf<K> => result.kind === kind;

async function ask<K extends Query["kind"]>(actions: SessionActions, query: Extract<Query, { kind: K }>): Promise<ResultOf<K>> {
  const kind: K = query.kind;
  const result = await actions.query(query);
  if (!isOf(kind, result)) throw new Error("the answer does not fit the question");
  return result;
}

const QUIET = { retry: false, refetchOnWindowFocus: false } as const;

export function useTimeline(sessionId: string) {
  const actions = useActions();
  // A new save makes a new list; what was loaded stays in sight meanwhile.
  const head = useSessionSelector((state) => state.saved?.snapshotId ?? "") ?? "";
  return useInfiniteQuery({
    ...QUIET,
    queryKey: ["session", sessionId, "timeline", head],
    initialPageParam: null as number | null,
    placeholderData: keepPreviousData,
    queryFn: ({ pageParam }) => ask(actions, { kind: "timeline", beforeSeq: pageParam }),
    getNextPageParam: (page) => (page.hasMore ? (page.entries.at(-1)?.seq ?? null) : null),
  });
}

const idsOf = ({ from, to }: Pair) => ({ fromId: from?.snapshotId ?? null, toId: to.snapshotId });

/** Saved states never change, so that an answer stays good; the one before may go, which only a new look can tell. */
export function useStateChanges(sessionId: string, pair: Pair) {
  const actions = useActions();
  const ids = idsOf(pair);
  return useQuery({
    ...QUIET,
    queryKey: ["session", sessionId, "snapshot_changes", ids],
    staleTime: ids.fromId === null ? 60_000 : Number.POSITIVE_INFINITY,
    queryFn: () => ask(actions, { kind: "snapshot_changes", ...ids }),
  });
}

export function useStatePatch(sessionId: string, pair: Pair, path: string) {
  const actions = useActions();
  const ids = idsOf(pair);
  return useQuery({
    ...QUIET,
    queryKey: ["session", sessionId, "snapshot_patch", ids, path],
    staleTime: ids.fromId === null ? 60_000 : Number.POSITIVE_INFINITY,
    queryFn: () => ask(actions, { kind: "snapshot_patch", ...ids, path }),
  });
}
