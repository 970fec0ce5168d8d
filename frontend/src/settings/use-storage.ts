/** What the person's saved states take, and how much of it they may. */
import type { StorageBody } from "@ai-dev-platform/protocol/http";
import { useQuery } from "@tanstack/react-query";
import { api } from "../api/client.ts";
import { queryClient } from "../query-client.ts";

const STORAGE_KEY = ["storage"] as const;

export const useStorage = () => useQuery({ queryKey: STORAGE_KEY, queryFn: () => api.get<StorageBody>("/api/storage") });

export const reloadStorage = () => queryClient.invalidateQueries({ queryKey: STORAGE_KEY });
