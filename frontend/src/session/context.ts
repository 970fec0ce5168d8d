import type { Role } from "@ai-dev-platform/protocol/roles";
import { createContext, use } from "react";
import type { SessionActions } from "./actions.ts";
import type { SessionCore } from "./core.ts";
import type { SessionStore } from "./store.ts";

export interface SessionHandle {
  core: SessionCore;
  store: SessionStore;
  actions: SessionActions;
  /** The page's newest way to a ticket; asked at each connection. */
  takeTicketsFrom(getTicket: () => Promise<{ ticket: string; role: Role }>): void;
}

export const SessionContext = createContext<SessionHandle | null>(null);

export function useSessionHandle(): SessionHandle {
  const handle = use(SessionContext);
  if (handle === null) throw new Error("a session hook was used outside SessionProvider");
  return handle;
}
