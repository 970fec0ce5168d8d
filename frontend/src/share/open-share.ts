/**
 * Opening a link. The secret is taken from the fragment once and stripped from the address at once, so that it stays in
 * no history entry and no screenshot; it is exchanged by POST for a cookie scoped to this share.
 */
import type { ShareViewBody, TicketBody } from "@ai-dev-platform/protocol/http";
import { api } from "../api/client.ts";

/** Secrets taken and not yet exchanged: a broken network must not cost the visitor the link. */
const taken = new Map<string, string>();

const decoded = (fragment: string): string => {
  try {
    return decodeURIComponent(fragment);
  } catch {
    return fragment;
  }
};

/** Moves the secret from the address to memory. Safe to call again. */
export function takeSecret(shareId: string): void {
  const secret = decoded(location.hash.slice(1));
  if (secret === "") return;
  taken.set(shareId, secret);
  history.replaceState(history.state, "", location.pathname + location.search);
}

async function exchange(shareId: string): Promise<ShareViewBody> {
  const secret = taken.get(shareId);
  if (secret === undefined) return api.get<ShareViewBody>(`/api/share/${encodeURIComponent(shareId)}`);
  const view = await api.post<ShareViewBody>("/api/share/exchange", { shareId, secret });
  taken.delete(shareId);
  return view;
}

/** Requests under way: a page that is rendered twice asks once. */
const opening = new Map<string, Promise<ShareViewBody>>();

export function openShare(shareId: string): Promise<ShareViewBody> {
  const underWay = opening.get(shareId);
  if (underWay !== undefined) return underWay;
  const request = exchange(shareId).finally(() => opening.delete(shareId));
  opening.set(shareId, request);
  return request;
}

export const shareTicket = (shareId: string): Promise<TicketBody> =>
  api.post<TicketBody>(`/api/share/${encodeURIComponent(shareId)}/ticket`);
