import { useMutation, useQuery } from "@tanstack/react-query";
import type { ShareBody, ShareCreatedBody, shareCreateSchema } from "@ai-dev-platform/protocol/http";
import type * as z from "zod";
import { api } from "../api/client.ts";
import { queryClient } from "../query-client.ts";

const key = (sessionId: string) => ["shares", sessionId] as const;

export type ShareCreate = z.infer<typeof shareCreateSchema>;
export type SharedRole = ShareCreate["role"];

export const useShares = (sessionId: string, enabled: boolean) =>
  useQuery({
    queryKey: key(sessionId),
    queryFn: async () => (await api.get<{ shares: ShareBody[] }>(`/api/sessions/${sessionId}/shares`)).shares,
    enabled,
  });

/** Links that open the session now, newest first. */
export const liveShares = (shares: readonly ShareBody[], now: number): ShareBody[] =>
  shares.filter((share) => share.revokedAt === null && share.expiresAt > now).toSorted((a, b) => b.createdAt - a.createdAt);

export const useShareActions = (sessionId: string) => {
  const reload = () => queryClient.invalidateQueries({ queryKey: key(sessionId) });
  const create = useMutation({
    mutationFn: (body: ShareCreate) => api.post<ShareCreatedBody>(`/api/sessions/${sessionId}/shares`, body),
    // The answer holds the secret: kept no longer than it is shown.
    gcTime: 0,
    onSettled: reload,
  });
  const revoke = useMutation({
    mutationFn: (shareId: string) => api.delete(`/api/sessions/${sessionId}/shares/${shareId}`),
    onSettled: reload,
  });
  return { create, revoke };
};
