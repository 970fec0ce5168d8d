/** J, K, Enter and E on a list of sessions. The focus itself is the cursor, so that a screen reader follows it. */
import { useRef, type RefObject } from "react";
import type { SessionBody } from "@ai-dev-platform/protocol/http";
import { useShortcuts } from "../keyboard/use-shortcuts.ts";
import { neighbour } from "./session-list.ts";
import type { ArchiveSession } from "./use-archive.ts";

export interface ListKeys {
  container: RefObject<HTMLDivElement | null>;
  focusFirst: () => void;
}

const ROW_ATTRIBUTE = "data-session-id";

export function useListKeys(shown: readonly SessionBody[], archive: ArchiveSession): ListKeys {
  const container = useRef<HTMLDivElement>(null);
  const ids = shown.map((session) => session.sessionId);
  const currentId = (): string | null => document.activeElement?.getAttribute(ROW_ATTRIBUTE) ?? null;
  const focusRow = (sessionId: string | null) => {
    if (sessionId === null) return;
    container.current?.querySelector<HTMLElement>(`[${ROW_ATTRIBUTE}="${CSS.escape(sessionId)}"]`)?.focus();
  };
  const archiveCurrent = () => {
    const current = currentId();
    const session = shown.find(({ sessionId }) => sessionId === current);
    if (session === undefined) return;
    const next = neighbour(ids, current, 1);
    focusRow(next === current ? neighbour(ids, current, -1) : next);
    archive(session);
  };
  useShortcuts({
    next: () => focusRow(neighbour(ids, currentId(), 1)),
    previous: () => focusRow(neighbour(ids, currentId(), -1)),
    archive: archiveCurrent,
  });
  return { container, focusFirst: () => focusRow(ids[0] ?? null) };
}
