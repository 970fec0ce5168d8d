/**
 * What the screen reads of a session: a signal for each thing, and a subscription for each row, so that a streaming row draws
 * itself again and nothing else does. Written only by `core.ts`.
 */
import type { Role } from "@ai-dev-platform/protocol/roles";
import type { SessionState } from "@ai-dev-platform/protocol/state";
import type { SessionFrame } from "@ai-dev-platform/protocol/viewer";
import type { Row } from "../transcript/rows.ts";
import type { Toggles, View } from "../transcript/view.ts";
import type { Connection } from "./connection.ts";
import type { Outbox } from "./outbox.ts";
import { createSignal, type Signal } from "./signal.ts";
import { MAIN_THREAD_NAME } from "./threads.ts";

export interface ViewerIdentity {
  role: Role;
  userId: string | null;
  name: string;
}
export type Progress = Omit<Extract<SessionFrame, { type: "progress" }>, "type">;
export type Meter = Omit<Extract<SessionFrame, { type: "meter" }>, "type">;
export interface History {
  hasOlder: boolean;
  isLoading: boolean;
}

export interface SessionStore {
  view: Signal<View>;
  state: Signal<SessionState | null>;
  /** The thread that is shown. */
  thread: Signal<string>;
  connection: Signal<Connection>;
  viewer: Signal<ViewerIdentity | null>;
  outbox: Signal<Outbox>;
  progress: Signal<Progress | null>;
  meter: Signal<Meter | null>;
  history: Signal<History>;
  toggles: Signal<Toggles>;
  row(id: string): Row | undefined;
  subscribeRow(id: string, listener: () => void): () => void;
}

export interface WritableStore extends SessionStore {
  notifyRows(ids: Iterable<string>): void;
}

export function createStore(now: number, toggles: Toggles, rowById: (id: string) => Row | undefined): WritableStore {
  const listeners = new Map<string, Set<() => void>>();
  const view = createSignal<View>({ ids: [], tail: new Map() });
  return {
    view,
    state: createSignal<SessionState | null>(null),
    thread: createSignal(MAIN_THREAD_NAME),
    connection: createSignal<Connection>({ phase: "connecting", since: now, retryAt: null, missing: 0 }),
    viewer: createSignal<ViewerIdentity | null>(null),
    outbox: createSignal<Outbox>([]),
    progress: createSignal<Progress | null>(null),
    meter: createSignal<Meter | null>(null),
    history: createSignal<History>({ hasOlder: false, isLoading: false }),
    toggles: createSignal(toggles),
    row: (id) => view.get().tail.get(id) ?? rowById(id),
    subscribeRow: (id, listener) => {
      const own = listeners.get(id) ?? new Set();
      listeners.set(id, own.add(listener));
      return () => {
        own.delete(listener);
        if (own.size === 0 && listeners.get(id) === own) listeners.delete(id);
      };
    },
    notifyRows: (ids) => {
      for (const id of ids) for (const listener of listeners.get(id) ?? []) listener();
    },
  };
}
