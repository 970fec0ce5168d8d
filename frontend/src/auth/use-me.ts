/** Who is signed in. `null` means nobody is; an error means that it is not known. */
import { useQuery } from "@tanstack/react-query";
import type { ConfigBody, MeBody } from "@ai-dev-platform/protocol/http";
import { api, ApiError } from "../api/client.ts";
import { ME_KEY } from "../query-client.ts";

const ME_FRESH_MS = 60_000;

async function fetchMe(): Promise<MeBody | null> {
  try {
    return await api.get<MeBody>("/api/me");
  } catch (error) {
    if (error instanceof ApiError && error.code === "not_signed_in") return null;
    throw error;
  }
}

export const useMe = () => useQuery({ queryKey: ME_KEY, queryFn: fetchMe, staleTime: ME_FRESH_MS });

export const useConfig = () =>
  useQuery({ queryKey: ["config"], queryFn: () => api.get<ConfigBody>("/api/config"), staleTime: Number.POSITIVE_INFINITY });
