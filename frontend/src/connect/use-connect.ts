/** A computer that asks to sign in: which one, and the answer to it. */
import { useMutation, useQuery } from "@tanstack/react-query";
import type { ConnectAnswerBody, ConnectBody, LoginKind } from "@ai-dev-platform/protocol/machine-login";
import { api, ApiError } from "../api/client.ts";
import { makeBrowserKey, withBrowserKey, type ShownKey } from "../signing/use-browser-key.ts";

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

export interface Answered {
  redirectTo: string | null;
  /** Of this browser, as the computer has it now; null: it cannot make one. */
  browserKey: ShownKey | null;
}

/** An approval brings this browser's key: to a computer that waits on its loopback address past the server, else by it. */
export const useAnswer = (which: Which, kind: LoginKind, userId: string | undefined) =>
  useMutation({
    mutationFn: async (approve: boolean): Promise<Answered> => {
      const key = approve && userId !== undefined ? await makeBrowserKey(userId) : null;
      const shown = key === null ? undefined : { publicKey: key.publicKey, name: key.name };
      const asked = { which, approve, ...(kind === "device" && shown !== undefined ? { browserKey: shown } : {}) };
      const { redirectTo } = await api.post<ConnectAnswerBody>("/api/connect", asked);
      // So that a person's other machines can be told to listen to it, too. Nothing here waits for it.
      if (kind === "loopback" && shown !== undefined) await api.post("/api/browser-keys", shown).catch(() => undefined);
      return { redirectTo: redirectTo === null ? null : withBrowserKey(redirectTo, key), browserKey: key };
    },
    gcTime: 0,
  });

/** The server builds the address; a browser goes to this computer and nowhere else, whatever it says. */
export function isLoopbackAddress(address: string): boolean {
  const url = URL.canParse(address) ? new URL(address) : null;
  return url?.protocol === "http:" && url.hostname === "127.0.0.1" && url.username === "";
}

export const mayTypeAgain = (error: unknown): boolean =>
  error instanceof ApiError && ["login_code_unknown", "login_expired", "rate_limited"].includes(error.code);
