/** A computer that asks to sign in: which one, and the answer to it. */
import { useMutation, useQuery } from "@tanstack/react-query";
import type { ConnectAnswerBody, ConnectBody } from "@ai-dev-platform/protocol/machine-login";
import { api, ApiError } from "../api/client.ts";

export type Which = { login: string } | { code: string };

/** Null while there is nothing to look for: the person has yet to type a code. */
export function whichOf(search: string): Which | null {
  const params = new URLSearchParams(search);
  const login = params.get("login");
  const code = params.get("code");
  return login !== null ? { login } : code !== null && code.trim() !== "" ? { code } : null;
}

export const useWaiting = (which: Which | null) =>
  useQuery({
    queryKey: ["connect", which],
    enabled: which !== null,
    queryFn: () => api.get<ConnectBody>(`/api/connect?${new URLSearchParams({ ...which })}`),
    // Each look at a code counts against guessing.
    retry: false,
    staleTime: Number.POSITIVE_INFINITY,
    refetchOnWindowFocus: false,
    gcTime: 0,
  });

export const useAnswer = (which: Which) =>
  useMutation({ mutationFn: (approve: boolean) => api.post<ConnectAnswerBody>("/api/connect", { which, approve }), gcTime: 0 });

/** The server builds the address; a browser goes to this computer and nowhere else, whatever it says. */
export function isLoopbackAddress(address: string): boolean {
  const url = URL.canParse(address) ? new URL(address) : null;
  return url?.protocol === "http:" && url.hostname === "127.0.0.1" && url.username === "";
}

export const mayTypeAgain = (error: unknown): boolean =>
  error instanceof ApiError && ["login_code_unknown", "login_expired", "rate_limited"].includes(error.code);
