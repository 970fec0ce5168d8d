import type { SessionBody } from "@ai-dev-platform/protocol/http";
import { messageOf } from "../api/client.ts";
import { toast } from "../ui/toast.ts";
import { t } from "./messages.ts";
import { useArchive } from "./use-sessions.ts";

export type ArchiveSession = (session: SessionBody) => void;

/** Archives a session, or brings it back, at once; the message offers the way back. */
export function useArchiveWithUndo(): ArchiveSession {
  const { mutateAsync } = useArchive();
  const move = (sessionId: string, archived: boolean) => {
    mutateAsync({ sessionId, archived }).catch((error: unknown) => toast(t.archiveFailed + messageOf(error)));
  };
  return ({ sessionId, title, archivedAt }) => {
    const archived = archivedAt === null;
    move(sessionId, archived);
    toast(archived ? t.archivedToast(title) : t.restoredToast(title), { undo: () => move(sessionId, !archived) });
  };
}
