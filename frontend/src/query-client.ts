/** The cache of what the API answered. A lost sign-in is noticed here, whichever request met it. */
import { MutationCache, QueryCache, QueryClient } from "@tanstack/react-query";
import { ApiError } from "./api/client.ts";

const FRESH_MS = 3_000;
const MAX_RETRIES = 2;

export const ME_KEY = ["me"] as const;

function onError(error: Error): void {
  if (error instanceof ApiError && error.code === "not_signed_in") queryClient.setQueryData(ME_KEY, null);
}

export const queryClient = new QueryClient({
  queryCache: new QueryCache({ onError }),
  mutationCache: new MutationCache({ onError }),
  defaultOptions: {
    queries: {
      staleTime: FRESH_MS,
      retry: (failures, error) => failures < MAX_RETRIES && error instanceof ApiError && error.retryable,
      networkMode: "always",
    },
    // An action that cannot reach the server fails at once, in words; it never waits unseen.
    mutations: { retry: false, networkMode: "always" },
  },
});
