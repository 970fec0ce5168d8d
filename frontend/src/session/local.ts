/** The few words that this browser keeps for a session in plain storage: drafts, and what `cache.ts` adds. */
export const DRAFT_PREFIX = "adp.draft.";

export function readLocal(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

export function writeLocal(key: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch {
    // Full or refused: the value lives on in memory.
  }
}

export const loadDraft = (sessionId: string): string => readLocal(DRAFT_PREFIX + sessionId) ?? "";
export const saveDraft = (sessionId: string, text: string): void => writeLocal(DRAFT_PREFIX + sessionId, text === "" ? null : text);
