/** Always-allowed hosts and Git logins of the signed-in person. */
import { useMutation, useQuery } from "@tanstack/react-query";
import type { AllowedHostBody, GitCredentialBody } from "@ai-dev-platform/protocol/http";
import { api } from "../api/client.ts";
import { queryClient } from "../query-client.ts";

const HOSTS_KEY = ["allowed-hosts"] as const;
const LOGINS_KEY = ["git-credentials"] as const;
const reload = (queryKey: readonly string[]) => queryClient.invalidateQueries({ queryKey });
const hostPath = (host: string) => `/api/allowed-hosts/${encodeURIComponent(host)}`;

export function useAllowedHosts() {
  const list = useQuery({
    queryKey: HOSTS_KEY,
    queryFn: async () => (await api.get<{ hosts: AllowedHostBody[] }>("/api/allowed-hosts")).hosts,
  });
  const allow = useMutation({
    mutationFn: (host: string) => api.put<AllowedHostBody>(hostPath(host)),
    onSettled: () => reload(HOSTS_KEY),
  });
  const forbid = useMutation({ mutationFn: (host: string) => api.delete(hostPath(host)), onSettled: () => reload(HOSTS_KEY) });
  return { list, allow, forbid };
}

export interface NewGitLogin {
  host: string;
  username?: string;
  secret: string;
  repository?: string;
}

export function useGitLogins() {
  const list = useQuery({
    queryKey: LOGINS_KEY,
    queryFn: async () => (await api.get<{ credentials: GitCredentialBody[] }>("/api/git-credentials")).credentials,
  });
  const add = useMutation({
    mutationFn: (login: NewGitLogin) => api.post<GitCredentialBody>("/api/git-credentials", login),
    // The secret is a variable of this call: kept no longer than the call.
    gcTime: 0,
    onSuccess: () => reload(LOGINS_KEY),
  });
  const remove = useMutation({
    mutationFn: (credentialId: string) => api.delete(`/api/git-credentials/${encodeURIComponent(credentialId)}`),
    onSettled: () => reload(LOGINS_KEY),
  });
  return { list, add, remove };
}
