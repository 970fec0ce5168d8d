/** The list of sessions: polled while the page is looked at, changed at once by what is done here. */
import { useMutation, useQuery } from "@tanstack/react-query";
import type { SessionBody } from "@ai-dev-platform/protocol/http";
import { api } from "../api/client.ts";
import { queryClient } from "../query-client.ts";

const POLL_INTERVAL_MS = 5_000;

const key = (archived: boolean) => ["sessions", archived ? "archived" : "active"] as const;

export const useSessions = (archived = false) =>
  useQuery({
    queryKey: key(archived),
    queryFn: async () => (await api.get<{ sessions: SessionBody[] }>(`/api/sessions?archived=${archived ? 1 : 0}`)).sessions,
    refetchInterval: POLL_INTERVAL_MS,
    refetchIntervalInBackground: false,
  });

export const reloadSessions = () => queryClient.invalidateQueries({ queryKey: ["sessions"] });

function moveBetweenLists(sessionId: string, archived: boolean): void {
  const from = queryClient.getQueryData<SessionBody[]>(key(!archived));
  const moved = from?.find((session) => session.sessionId === sessionId);
  if (from === undefined || moved === undefined) return;
  queryClient.setQueryData(
    key(!archived),
    from.filter((session) => session !== moved),
  );
  queryClient.setQueryData<SessionBody[]>(key(archived), (to) => to && [moved, ...to]);
}

/** Archives or brings back. The row moves before the server answers, and back if it refuses. */
export const useArchive = () =>
  useMutation({
    mutationFn: ({ sessionId, archived }: { sessionId: string; archived: boolean }) =>
      api.patch<SessionBody>(`/api/sessions/${sessionId}`, { archived }),
    onMutate: async ({ sessionId, archived }) => {
      await queryClient.cancelQueries({ queryKey: ["sessions"] });
      moveBetweenLists(sessionId, archived);
    },
    onSettled: reloadSessions,
  });

export const useDeleteSession = () =>
  useMutation({ mutationFn: (sessionId: string) => api.delete(`/api/sessions/${sessionId}`), onSettled: reloadSessions });
