/**
 * Which changed files a person has looked at, in this browser. Pure but for the two storage functions.
 * A mark belongs to what the file looked like: when it changes again, it is not viewed any more.
 */
import type { ChangedFile } from "@ai-dev-platform/protocol/events";

export type Viewed = ReadonlyMap<string, string>;

const markOf = (file: ChangedFile): string => `${file.status}:${file.additions}:${file.deletions}`;

export const isViewed = (viewed: Viewed, file: ChangedFile): boolean => viewed.get(file.path) === markOf(file);

export function toggleViewed(viewed: Viewed, file: ChangedFile): Viewed {
  const next = new Map(viewed);
  if (isViewed(viewed, file)) next.delete(file.path);
  else next.set(file.path, markOf(file));
  return next;
}

const storageKey = (sessionId: string) => `viewed:${sessionId}`;

export function loadViewed(sessionId: string): Viewed {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(storageKey(sessionId)) ?? "[]");
    if (!Array.isArray(stored)) return new Map();
    return new Map(
      stored.filter((pair): pair is [string, string] => Array.isArray(pair) && typeof pair[0] === "string" && typeof pair[1] === "string"),
    );
  } catch {
    return new Map();
  }
}

export function saveViewed(sessionId: string, viewed: Viewed): void {
  try {
    localStorage.setItem(storageKey(sessionId), JSON.stringify([...viewed]));
  } catch {
    // Storage is closed or full: the marks hold until the page is left.
  }
}
