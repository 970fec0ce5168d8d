/** The browsers of a person as the server lists them, and this one's key. Which of them a machine listens to, that machine knows. */
import { useMutation, useQuery } from "@tanstack/react-query";
import type { BrowserKeyBody } from "@ai-dev-platform/protocol/http";
import { api } from "../api/client.ts";
import { queryClient } from "../query-client.ts";
import { makeBrowserKey, type ShownKey } from "../signing/use-browser-key.ts";

const KEYS = ["browser-keys"] as const;

export const useBrowserKeys = () =>
  useQuery({ queryKey: KEYS, queryFn: async () => (await api.get<{ keys: BrowserKeyBody[] }>("/api/browser-keys")).keys });

/** Null: this browser cannot make a key, or keeps nothing. */
export const useMakeKey = (userId: string | undefined) =>
  useMutation({
    mutationFn: async (): Promise<ShownKey | null> => {
      const key = userId === undefined ? null : await makeBrowserKey(userId);
      if (key !== null) await api.post<BrowserKeyBody>("/api/browser-keys", { publicKey: key.publicKey, name: key.name });
      return key;
    },
    onSuccess: (key) => queryClient.setQueryData(["browser-key", userId], key),
    onSettled: () => queryClient.invalidateQueries({ queryKey: KEYS }),
  });

export const useForgetKey = () =>
  useMutation({
    mutationFn: (keyId: string) => api.delete(`/api/browser-keys/${keyId}`),
    onSettled: () => queryClient.invalidateQueries({ queryKey: KEYS }),
  });
