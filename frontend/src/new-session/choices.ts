/** How sessions of a project were last set up, so that the next one begins the same way. Pure; the caller keeps the text. */
import { choicesOf, EMPTY_DRAFT, readDraft, type Choices, type NewSessionDraft } from "./draft.ts";

/** Projects remembered; the one used longest ago is forgotten first. */
const KEPT_PROJECTS = 50;

type Kept = readonly (readonly [projectId: string, choices: Choices])[];

/** Reads what is stored, whatever an older version of the page has left there. */
function readKept(stored: string | null): Kept {
  let raw: unknown;
  try {
    raw = JSON.parse(stored ?? "null");
  } catch {
    return [];
  }
  if (!Array.isArray(raw)) return [];
  return raw.flatMap((pair: unknown) =>
    Array.isArray(pair) && typeof pair[0] === "string" ? [[pair[0], choicesOf(readDraft(JSON.stringify(pair[1])))] as const] : [],
  );
}

/** The choices for a project: its own, or the form's first ones. */
export const choicesFor = (stored: string | null, projectId: string): Choices =>
  readKept(stored).find(([known]) => known === projectId)?.[1] ?? choicesOf(EMPTY_DRAFT);

export const withChoices = (stored: string | null, projectId: string, draft: NewSessionDraft): string =>
  JSON.stringify([...readKept(stored).filter(([known]) => known !== projectId), [projectId, choicesOf(draft)]].slice(-KEPT_PROJECTS));
