/** Makes a session's core live as long as its page, and gives it to the hooks of `use-session.ts`. */
import type { Role } from "@ai-dev-platform/protocol/roles";
import { useEffect, useState, type ReactNode } from "react";
import { createActions } from "./actions.ts";
import { SessionCore } from "./core.ts";
import { SessionContext, type SessionHandle } from "./context.ts";
import { listenForWake } from "./socket.ts";

export interface SessionProviderProps {
  sessionId: string;
  getTicket: () => Promise<{ ticket: string; role: Role }>;
  children: ReactNode;
}

type GetTicket = SessionProviderProps["getTicket"];

function createHandle(sessionId: string, firstGetTicket: GetTicket): SessionHandle {
  let getTicket = firstGetTicket;
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  const core = new SessionCore({
    sessionId,
    url: `${scheme}//${location.host}/api/sessions/${encodeURIComponent(sessionId)}/socket`,
    getTicket: () => getTicket(),
    createSocket: (url, protocols) => new WebSocket(url, protocols),
    now: () => Date.now(),
    random: () => Math.random(),
    isOnline: () => navigator.onLine,
    isHidden: () => document.hidden,
    isCoarse: () => matchMedia("(pointer: coarse)").matches,
  });
  return {
    core,
    store: core.store,
    actions: createActions(core),
    takeTicketsFrom: (next) => {
      getTicket = next;
    },
  };
}

export function SessionProvider(props: SessionProviderProps) {
  // Another session is another core: nothing of the one before is shown in it.
  return <OneSession key={props.sessionId} {...props} />;
}

function OneSession({ sessionId, getTicket, children }: SessionProviderProps) {
  const [handle] = useState(() => createHandle(sessionId, getTicket));
  useEffect(() => handle.takeTicketsFrom(getTicket), [handle, getTicket]);
  useEffect(() => {
    const { core } = handle;
    core.start();
    const unlisten = listenForWake((input) => core.wake(input));
    const keep = () => core.keep();
    window.addEventListener("pagehide", keep);
    return () => {
      window.removeEventListener("pagehide", keep);
      unlisten();
      core.stop();
    };
  }, [handle]);
  return <SessionContext value={handle}>{children}</SessionContext>;
}
