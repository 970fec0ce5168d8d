/** The transcript's answers to the keyboard: moving by row and by turn, opening, linking, jumping. */
import { useEffect, useLayoutEffect, useRef } from "react";
import { useSessionHandle, type SessionHandle } from "../session/context.ts";
import { registerTranscript, type TranscriptCommand, type TranscriptHandler } from "./commands.ts";
import type { Follow } from "./follow.ts";
import type { ListSource } from "./list-source.ts";
import { workRowId } from "./rows.ts";
import type { FollowControl, ListVirtualizer } from "./use-follow.ts";

export interface CommandTargets {
  scroller: HTMLDivElement | null;
  virtualizer: ListVirtualizer;
  source: ListSource;
  follow: Follow;
  dispatch: FollowControl["dispatch"];
}

type Context = CommandTargets & SessionHandle;

export function useCommands(targets: CommandTargets): void {
  const handle = useSessionHandle();
  const newest = useRef<Context | null>(null);
  useLayoutEffect(() => {
    newest.current = { ...targets, ...handle };
  });
  useEffect(() => {
    const handler: TranscriptHandler = {
      run: (command) => newest.current !== null && run(newest.current, command),
      jumpToSeq: async (seq) => newest.current !== null && jump(newest.current, seq),
    };
    return registerTranscript(handler);
  }, []);
}

function run(context: Context, command: TranscriptCommand): boolean {
  const { ids } = context.store.view.get();
  switch (command) {
    case "latest":
      context.dispatch({ type: "asked_latest" });
      return true;
    case "focus":
      context.scroller?.focus({ preventScroll: true });
      return true;
    case "next":
      return goTo(context, Math.min(ids.length - 1, currentIndex(context) + 1));
    case "previous":
      return goTo(context, Math.max(0, currentIndex(context) - 1));
    case "next_turn":
    case "previous_turn":
      return goTo(context, turnIndex(context, command === "next_turn" ? 1 : -1));
    case "toggle":
      return click(context, currentId(context));
    case "toggle_turn":
      return toggleTurn(context);
    case "copy_link":
      return copyLink(context);
  }
}

/** The row with the focus, else the one jumped to, else the last in view. */
function currentId({ follow, store, virtualizer }: Context): string | null {
  const focused = document.activeElement?.closest("[data-row]")?.getAttribute("data-row");
  if (focused != null) return focused;
  if (follow.mode === "anchored") return follow.rowId;
  return store.view.get().ids[virtualizer.range?.endIndex ?? -1] ?? null;
}

const currentIndex = (context: Context): number => {
  const id = currentId(context);
  return id === null ? -1 : context.store.view.get().ids.indexOf(id);
};

function turnIndex(context: Context, step: 1 | -1): number {
  const { ids } = context.store.view.get();
  for (let index = currentIndex(context) + step; index >= 0 && index < ids.length; index += step) {
    const row = context.store.row(ids[index] ?? "");
    if (row?.kind === "prompt" && !row.isSteering) return index;
  }
  return -1;
}

function goTo(context: Context, index: number): boolean {
  const id = context.store.view.get().ids[index];
  if (id === undefined) return false;
  const { dispatch, source, virtualizer, scroller } = context;
  dispatch({ type: "jumped_to", rowId: id });
  source.keep(id);
  virtualizer.scrollToIndex(index, { align: "auto" });
  focusWhenMounted(scroller, id);
  return true;
}

/** The row may be drawn only after the jump. A row that is not there in a few frames was folded away in between. */
function focusWhenMounted(scroller: HTMLDivElement | null, id: string, framesLeft = 10): void {
  const row = scroller?.querySelector<HTMLElement>(`[data-row="${CSS.escape(id)}"]`);
  if (row != null) row.focus({ preventScroll: true });
  else if (framesLeft > 0) requestAnimationFrame(() => focusWhenMounted(scroller, id, framesLeft - 1));
}

function click({ scroller }: Context, id: string | null): boolean {
  const toggle = id === null ? null : scroller?.querySelector<HTMLButtonElement>(`[data-row="${CSS.escape(id)}"] [data-toggle]`);
  toggle?.click();
  return toggle != null;
}

function toggleTurn(context: Context): boolean {
  const row = context.store.row(currentId(context) ?? "");
  const turnId = row?.turnId ?? null;
  if (turnId === null) return false;
  const id = workRowId(turnId);
  context.actions.setToggle(id, context.store.toggles.get().get(id) !== true);
  return true;
}

function copyLink(context: Context): boolean {
  const seq = context.store.row(currentId(context) ?? "")?.seq;
  if (seq == null) return false;
  const url = new URL(location.href);
  url.searchParams.set("at", String(seq));
  url.hash = "";
  void navigator.clipboard.writeText(url.href);
  return true;
}

async function jump(context: Context, seq: number): Promise<boolean> {
  const { store, actions, core } = context;
  while (core.oldestSeq !== null && core.oldestSeq > seq && store.history.get().hasOlder) {
    const before = core.oldestSeq;
    await actions.loadOlder();
    if (core.oldestSeq === before) return false;
  }
  const index = store.view.get().ids.findIndex((id) => (store.row(id)?.seq ?? -1) >= seq);
  return index !== -1 && goTo(context, index);
}
