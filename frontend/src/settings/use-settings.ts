/** Keys, settings, MCP servers and machines of the signed-in person. */
import { useMutation, useQuery } from "@tanstack/react-query";
import type { Provider } from "@ai-dev-platform/protocol/api/providers";
import type { KeyBody, MachineBody, McpServerBody, SettingsBody } from "@ai-dev-platform/protocol/http";
import { api } from "../api/client.ts";
import { ME_KEY, queryClient } from "../query-client.ts";

const KEYS_KEY = ["keys"] as const;
const SETTINGS_KEY = ["settings"] as const;
const MCP_KEY = ["mcp"] as const;
const MACHINES_KEY = ["machines"] as const;
const MACHINE_POLL_MS = 10_000;
/** While somebody waits for one to connect. */
const MACHINE_WAIT_POLL_MS = 2_000;

const reload = (queryKey: readonly string[]) => queryClient.invalidateQueries({ queryKey });

export const useKeys = () => useQuery({ queryKey: KEYS_KEY, queryFn: async () => (await api.get<{ keys: KeyBody[] }>("/api/keys")).keys });

/** The key that pays for sessions; a replaced one is gone. */
export const activeKey = (keys: readonly KeyBody[] | undefined): KeyBody | null =>
  keys?.find(({ isActive, provider }) => isActive && provider === "anthropic") ?? null;

interface NewKey {
  apiKey: string;
  /** Absent: Anthropic. */
  provider?: Provider;
  baseUrl?: string;
}

export const useKeyActions = () => {
  const add = useMutation({
    mutationFn: (key: NewKey) => api.post<KeyBody>("/api/keys", key),
    // The key itself is the variable of this call: kept no longer than the call.
    gcTime: 0,
    onSuccess: () => reload(KEYS_KEY),
  });
  const test = useMutation({
    mutationFn: (keyId: string) => api.post<KeyBody>(`/api/keys/${keyId}/test`),
    onSettled: () => reload(KEYS_KEY),
  });
  const remove = useMutation({ mutationFn: (keyId: string) => api.delete(`/api/keys/${keyId}`), onSettled: () => reload(KEYS_KEY) });
  return { add, test, remove };
};

export const useSettings = () => useQuery({ queryKey: SETTINGS_KEY, queryFn: () => api.get<SettingsBody>("/api/settings") });

export const usePatchSettings = () =>
  useMutation({
    mutationFn: (patch: Partial<SettingsBody>) => api.patch<SettingsBody>("/api/settings", patch),
    onMutate: (patch) => {
      const before = queryClient.getQueryData<SettingsBody>(SETTINGS_KEY);
      if (before !== undefined) queryClient.setQueryData<SettingsBody>(SETTINGS_KEY, { ...before, ...patch });
      return before;
    },
    onError: (_error, _patch, before) => {
      if (before !== undefined) queryClient.setQueryData(SETTINGS_KEY, before);
    },
    onSettled: () => Promise.all([reload(SETTINGS_KEY), reload(ME_KEY), reload(KEYS_KEY)]),
  });

export const useMcpServers = () =>
  useQuery({ queryKey: MCP_KEY, queryFn: async () => (await api.get<{ servers: McpServerBody[] }>("/api/mcp")).servers });

export type NewMcpServer =
  | { transport: "http"; name: string; url: string; headers: Record<string, string> }
  | { transport: "stdio"; name: string; command: string; args: string[]; env: Record<string, string> };

export const useMcpActions = () => {
  const add = useMutation({
    mutationFn: (server: NewMcpServer) => api.post<McpServerBody>("/api/mcp", server),
    gcTime: 0,
    onSuccess: () => reload(MCP_KEY),
  });
  const remove = useMutation({ mutationFn: (mcpId: string) => api.delete(`/api/mcp/${mcpId}`), onSettled: () => reload(MCP_KEY) });
  return { add, remove };
};

const fetchMachines = async () => (await api.get<{ machines: MachineBody[] }>("/api/machines")).machines;

export const useMachines = (isAllowed = true) =>
  useQuery({
    enabled: isAllowed,
    queryKey: MACHINES_KEY,
    queryFn: fetchMachines,
    refetchInterval: MACHINE_POLL_MS,
  });

/** Looks more often for as long as this is mounted and wanted. */
export const useMachinesSoon = (isWanted: boolean): void =>
  void useQuery({ enabled: isWanted, queryKey: MACHINES_KEY, queryFn: fetchMachines, refetchInterval: MACHINE_WAIT_POLL_MS });
