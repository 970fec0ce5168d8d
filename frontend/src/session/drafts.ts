/** The text being typed in a session: kept in this browser with every change, so that a reload or a crash loses nothing. */
import { useCallback, useState } from "react";
import { loadDraft, saveDraft } from "./local.ts";

export const hasDraft = (sessionId: string): boolean => loadDraft(sessionId).trim() !== "";

export function useDraft(sessionId: string): [string, (text: string) => void, () => void] {
  const [draft, setDraft] = useState({ sessionId, text: loadDraft(sessionId) });
  // Another session in the same place: its own draft, in the same render.
  const current = draft.sessionId === sessionId ? draft : { sessionId, text: loadDraft(sessionId) };
  if (current !== draft) setDraft(current);
  const change = useCallback(
    (text: string) => {
      saveDraft(sessionId, text);
      setDraft({ sessionId, text });
    },
    [sessionId],
  );
  const clear = useCallback(() => change(""), [change]);
  return [current.text, change, clear];
}
