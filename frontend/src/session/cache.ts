/**
 * What this browser keeps of sessions, all of it disposable: the newest entries of the last sessions seen, prompts not yet
 * confirmed, drafts, and which rows were opened by hand. A browser that refuses storage loses comfort, never correctness.
 * `clearSessionCaches` empties everything; sign-out calls it.
 */
import type { ReadEntry } from "@ai-dev-platform/protocol/events";
import type { SessionState } from "@ai-dev-platform/protocol/state";
import { clear, createStore, del, delMany, entries, get, set, update, type UseStore } from "idb-keyval";
import { isEntry, isRecord } from "./frames.ts";
import { DRAFT_PREFIX, readLocal, writeLocal } from "./local.ts";
import type { OutboxPrompt } from "./outbox.ts";

/** Raised when the shape of what is kept changes: older copies are then ignored. */
const CACHE_VERSION = 3;
const CACHED_ENTRIES = 200;
const CACHED_SESSIONS = 30;
const KEPT_TOGGLES = 500;
const TOGGLES_PREFIX = "adp.toggles.";
const INDEX_KEY = "index";

let cacheStore: UseStore | undefined;
let outboxStore: UseStore | undefined;
const cache = () => (cacheStore ??= createStore("adp-session-cache", "sessions"));
const outboxes = () => (outboxStore ??= createStore("adp-outbox", "prompts"));

const isState = (value: unknown): value is SessionState =>
  isRecord(value) && typeof value["seq"] === "number" && isRecord(value["host"]) && Array.isArray(value["queue"]);
const isPrompt = (value: unknown): value is OutboxPrompt =>
  isRecord(value) &&
  typeof value["promptId"] === "string" &&
  typeof value["text"] === "string" &&
  typeof value["createdAt"] === "number" &&
  typeof value["status"] === "string";

export interface CachedSession {
  entries: ReadEntry[];
  state: SessionState | null;
}

export async function loadCachedSession(sessionId: string): Promise<CachedSession | null> {
  try {
    const kept: unknown = await get(sessionId, cache());
    if (!isRecord(kept) || kept["version"] !== CACHE_VERSION || !Array.isArray(kept["entries"])) return null;
    return { entries: kept["entries"].filter(isEntry), state: isState(kept["state"]) ? kept["state"] : null };
  } catch {
    return null;
  }
}

export async function saveCachedSession(sessionId: string, all: readonly ReadEntry[], state: SessionState | null): Promise<void> {
  try {
    await set(sessionId, { version: CACHE_VERSION, entries: all.slice(-CACHED_ENTRIES), state }, cache());
    let dropped: string[] = [];
    await update<unknown>(
      INDEX_KEY,
      (old) => {
        const order = (Array.isArray(old) ? old : []).filter((id): id is string => typeof id === "string" && id !== sessionId);
        const next = [...order, sessionId];
        dropped = next.slice(0, Math.max(0, next.length - CACHED_SESSIONS));
        return next.slice(-CACHED_SESSIONS);
      },
      cache(),
    );
    if (dropped.length > 0) await delMany(dropped, cache());
  } catch {
    // Without room or permission the next visit starts from the session itself.
  }
}

/** A browser may refuse by throwing at once as well as later. */
async function attempt(write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch {
    // Kept in memory only, then.
  }
}

export const forgetCachedSession = (sessionId: string): Promise<void> => attempt(() => del(sessionId, cache()));

const promptKey = (sessionId: string, promptId: string) => `${sessionId}/${promptId}`;

/** Each prompt has its own key, so that two tabs of one session do not overwrite each other's. */
export const keepPrompt = (sessionId: string, prompt: OutboxPrompt): Promise<void> =>
  attempt(() => set(promptKey(sessionId, prompt.promptId), prompt, outboxes()));
export const forgetPrompt = (sessionId: string, promptId: string): Promise<void> =>
  attempt(() => del(promptKey(sessionId, promptId), outboxes()));

export async function loadPrompts(sessionId: string): Promise<OutboxPrompt[]> {
  try {
    const all: [IDBValidKey, unknown][] = await entries(outboxes());
    return all.flatMap(([key, value]) => (typeof key === "string" && key.startsWith(`${sessionId}/`) && isPrompt(value) ? [value] : []));
  } catch {
    return [];
  }
}

export function loadToggles(sessionId: string): Map<string, boolean> {
  try {
    const kept: unknown = JSON.parse(readLocal(TOGGLES_PREFIX + sessionId) ?? "[]");
    if (!Array.isArray(kept)) return new Map();
    return new Map(
      kept.flatMap((pair: unknown) =>
        Array.isArray(pair) && typeof pair[0] === "string" && typeof pair[1] === "boolean" ? [[pair[0], pair[1]] as const] : [],
      ),
    );
  } catch {
    return new Map();
  }
}

export const saveToggles = (sessionId: string, toggles: ReadonlyMap<string, boolean>): void =>
  writeLocal(TOGGLES_PREFIX + sessionId, toggles.size === 0 ? null : JSON.stringify([...toggles].slice(-KEPT_TOGGLES)));

let epoch = 0;
/** Rises with each clearing: a session that was opened before it writes nothing afterwards. */
export const storageEpoch = (): number => epoch;

/** Nothing of a person's sessions stays in this browser. */
export async function clearSessionCaches(): Promise<void> {
  epoch++;
  try {
    const keys = Object.keys(localStorage).filter((key) => key.startsWith(DRAFT_PREFIX) || key.startsWith(TOGGLES_PREFIX));
    for (const key of keys) localStorage.removeItem(key);
  } catch {
    // Nothing could have been kept there.
  }
  await Promise.all([attempt(() => clear(cache())), attempt(() => clear(outboxes()))]);
}
