/** The hooks through which the screen reads a session. Each subscribes to one thing only. */
import type { SessionState, ThreadState } from "@ai-dev-platform/protocol/state";
import { useCallback, useMemo, useRef, useSyncExternalStore } from "react";
import type { Row } from "../transcript/rows.ts";
import { isOpen } from "../transcript/view.ts";
import type { SessionActions } from "./actions.ts";
import type { Connection } from "./connection.ts";
import { useSessionHandle } from "./context.ts";
import type { OutboxPrompt } from "./outbox.ts";
import type { Signal } from "./signal.ts";
import { threadOf } from "./threads.ts";
import type { History, Meter, Progress, ViewerIdentity } from "./store.ts";

const useSignal = <T>(signal: Signal<T>): T => useSyncExternalStore(signal.subscribe, signal.get);

export const useSessionState = (): SessionState | null => useSignal(useSessionHandle().store.state);

/** One thing of the state; draws again only when that changed (by identity, or flatly for small records and lists). */
export function useSessionSelector<T>(select: (state: SessionState) => T): T | null {
  const { state } = useSessionHandle().store;
  const last = useRef<{ value: T } | null>(null);
  const get = () => {
    const current = state.get();
    if (current === null) return null;
    const value = select(current);
    if (last.current === null || !isFlatEqual(last.current.value, value)) last.current = { value };
    return last.current.value;
  };
  return useSyncExternalStore(state.subscribe, get);
}

function isFlatEqual(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  const left = Object.entries(a);
  const right = new Map<string, unknown>(Object.entries(b));
  return left.length === right.size && left.every(([key, value]) => right.has(key) && Object.is(right.get(key), value));
}

export const useConnection = (): Connection => useSignal(useSessionHandle().store.connection);
export const useViewer = (): ViewerIdentity | null => useSignal(useSessionHandle().store.viewer);
export const useRowIds = (): readonly string[] => useSignal(useSessionHandle().store.view).ids;

export function useRow(id: string): Row | undefined {
  const { store } = useSessionHandle();
  const subscribe = useCallback((listener: () => void) => store.subscribeRow(id, listener), [store, id]);
  return useSyncExternalStore(subscribe, () => store.row(id));
}

export const useThreadName = (): string => useSignal(useSessionHandle().store.thread);
/** What the thread that is shown does; null while the session is not known. */
export function useThread(): ThreadState | null {
  const name = useThreadName();
  const state = useSessionState();
  return state === null ? null : threadOf(state, name);
}
export const useOutbox = (): readonly OutboxPrompt[] => useSignal(useSessionHandle().store.outbox);
export const useProgress = (): Progress | null => useSignal(useSessionHandle().store.progress);
export const useMeter = (): Meter | null => useSignal(useSessionHandle().store.meter);
export const useHistory = (): History => useSignal(useSessionHandle().store.history);
export const useActions = (): SessionActions => useSessionHandle().actions;

/** Prompts that the transcript itself shows while they wait (no turn is open): the composer leaves them out of its chips. */
export function usePromptsInTranscript(): ReadonlySet<string> {
  const view = useSignal(useSessionHandle().store.view);
  return useMemo(() => new Set([...view.tail.values()].map((row) => row.promptId)), [view.tail]);
}

/** Whether a row's disclosure is open, and how to change it. */
export function useDisclosure(row: Row): [boolean, (isOpen: boolean) => void] {
  const { store, actions } = useSessionHandle();
  const open = useSyncExternalStore(store.toggles.subscribe, () => isOpen(row, store.toggles.get()));
  const { setToggle } = actions;
  return [open, useCallback((next: boolean) => setToggle(row.id, next), [setToggle, row.id])];
}
