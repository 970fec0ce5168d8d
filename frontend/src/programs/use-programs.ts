/** API tokens and webhooks of the signed-in person. */
import type { ApiScope, ApiTokenBody, ApiTokenCreatedBody } from "@ai-dev-platform/protocol/api/access";
import type { WebhookBody, WebhookCreatedBody, WebhookEvent } from "@ai-dev-platform/protocol/api/webhooks";
import { useMutation, useQuery } from "@tanstack/react-query";
import { api } from "../api/client.ts";
import { queryClient } from "../query-client.ts";

const TOKENS_KEY = ["api-tokens"] as const;
const WEBHOOKS_KEY = ["webhooks"] as const;
/** While the answer to a test is awaited. */
const TEST_POLL_MS = 1_500;

const reload = (queryKey: readonly string[]) => queryClient.invalidateQueries({ queryKey });

export interface NewToken {
  name: string;
  scopes: ApiScope[];
  expiresInDays: number | null;
  budgetUsd: number | null;
}

export function useTokens() {
  const list = useQuery({
    queryKey: TOKENS_KEY,
    queryFn: async () => (await api.get<{ tokens: ApiTokenBody[] }>("/api/tokens")).tokens,
  });
  const create = useMutation({
    mutationFn: (token: NewToken) => api.post<ApiTokenCreatedBody>("/api/tokens", token),
    // The answer holds the secret: kept no longer than somebody looks at it.
    gcTime: 0,
    onSuccess: () => reload(TOKENS_KEY),
  });
  const revoke = useMutation({
    mutationFn: (tokenId: string) => api.delete(`/api/tokens/${encodeURIComponent(tokenId)}`),
    onSettled: () => reload(TOKENS_KEY),
  });
  return { list, create, revoke };
}

export interface NewWebhook {
  url: string;
  events: WebhookEvent[];
}

const webhookPath = (webhookId: string) => `/api/webhooks/${encodeURIComponent(webhookId)}`;

/** `isWaiting`: for the answer to a test; the list is then looked at more often. */
export const useWebhookList = (isWaiting: boolean) =>
  useQuery({
    queryKey: WEBHOOKS_KEY,
    queryFn: async () => (await api.get<{ webhooks: WebhookBody[] }>("/api/webhooks")).webhooks,
    refetchInterval: isWaiting ? TEST_POLL_MS : false,
  });

export function useWebhookActions() {
  const create = useMutation({
    mutationFn: (webhook: NewWebhook) => api.post<WebhookCreatedBody>("/api/webhooks", webhook),
    gcTime: 0,
    onSuccess: () => reload(WEBHOOKS_KEY),
  });
  const test = useMutation({ mutationFn: (webhookId: string) => api.post(`${webhookPath(webhookId)}/test`) });
  const remove = useMutation({
    mutationFn: (webhookId: string) => api.delete(webhookPath(webhookId)),
    onSettled: () => reload(WEBHOOKS_KEY),
  });
  return { create, test, remove };
}
