/**
 * The session's events as rows: virtualised from the end, following while the reader wants it, still while he does not. It is
 * a log that says nothing by itself (boundaries are announced elsewhere); every row is an article of its own.
 */
import { useVirtualizer } from "@tanstack/react-virtual";
import { ArrowDown } from "lucide-react";
import { memo, useCallback, useEffect, useState, type FocusEvent, type KeyboardEvent } from "react";
import { useSessionHandle } from "../session/context.ts";
import { useActions, useHistory, useRow, useRowIds, useThread, useViewer } from "../session/use-session.ts";
import { threadOf } from "../session/threads.ts";
import { StateDot } from "../ui/state-dot.tsx";
import { Elapsed } from "../ui/time.tsx";
import { commandOfKey, runTranscriptCommand } from "./commands.ts";
import type { ViewerIdentity } from "../session/store.ts";
import { isBy } from "./is-by.ts";
import { createListSource } from "./list-source.ts";
import { t } from "./messages.ts";
import { ReadOnlyContext } from "./read-only.ts";
import { RowContent } from "./RowContent.tsx";
import type { Row } from "./rows.ts";
import "./transcript.css";
import "./output.css";
import "./edges.css";
import { useCommands } from "./use-commands.ts";
import { useFollowState, useKeepEnd, useReaderIntent, type ListVirtualizer } from "./use-follow.ts";

/** Older steps are fetched when the reader is this near to the first one. */
const APPROACH_PX = 800;
const OVERSCAN = 8;
/** Room under the last row, where the line about the running turn stands. */
const PADDING_END_PX = 44;
/** Room over the first row, where older steps are offered. */
const PADDING_START_PX = 44;

export interface TranscriptProps {
  /** No prompts, no retry: a shared view. Its own keys work while it has the focus. */
  readOnly?: boolean;
}

export function Transcript({ readOnly = false }: TranscriptProps) {
  const { store } = useSessionHandle();
  const ids = useRowIds();
  const [source] = useState(() => createListSource(store));
  const [scroller, setScroller] = useState<HTMLDivElement | null>(null);
  const { follow, dispatch } = useFollowState();
  const isFollowing = follow.mode === "following";
  // oxlint-disable-next-line react/incompatible-library -- the virtualiser's own object is not memoised here
  const virtualizer = useVirtualizer<HTMLDivElement, HTMLElement>({
    count: ids.length,
    getScrollElement: useCallback(() => scroller, [scroller]),
    getItemKey: source.keyOf,
    estimateSize: source.heightOf,
    rangeExtractor: source.rangeOf,
    overscan: OVERSCAN,
    paddingStart: PADDING_START_PX,
    paddingEnd: PADDING_END_PX,
    anchorTo: "end",
    followOnAppend: isFollowing,
    directDomUpdates: true,
    directDomUpdatesMode: "position",
  });
  useReaderIntent(scroller, dispatch);
  useKeepEnd(scroller, virtualizer, isFollowing, ids);
  useOlderOnApproach(scroller, ids);
  useFollowOnSend(dispatch);
  useCommands({ scroller, virtualizer, source, follow, dispatch });
  const kept = (event: FocusEvent) =>
    source.keep(event.target instanceof Element ? (event.target.closest("[data-row]")?.getAttribute("data-row") ?? null) : null);
  return (
    <ReadOnlyContext value={readOnly}>
      <div className="transcript">
        {/* oxlint-disable jsx-a11y/no-noninteractive-tabindex, jsx-a11y/no-noninteractive-element-interactions -- a scrolling log must be reachable by key */}
        <div
          ref={setScroller}
          id="transcript"
          className="transcript-scroller"
          role="log"
          aria-live="off"
          aria-label={t.log}
          tabIndex={0}
          onFocus={kept}
          onKeyDown={readOnly ? runOwnKeys : undefined}
        >
          {/* oxlint-enable jsx-a11y/no-noninteractive-tabindex, jsx-a11y/no-noninteractive-element-interactions */}
          <div ref={virtualizer.containerRef} className="transcript-rows">
            <OlderNote />
            {virtualizer.getVirtualItems().map((item) => (
              <RowSlot
                key={item.key}
                id={String(item.key)}
                index={item.index}
                count={ids.length}
                measure={virtualizer.measureElement}
                isMarked={follow.mode === "anchored" && follow.rowId === item.key}
              />
            ))}
            <WorkingNote />
          </div>
        </div>
        {!isFollowing && <JumpToLatest onJump={() => dispatch({ type: "asked_latest" })} />}
      </div>
    </ReadOnlyContext>
  );
}

function runOwnKeys(event: KeyboardEvent): void {
  if (event.metaKey || event.ctrlKey || event.altKey || event.nativeEvent.isComposing) return;
  const command = commandOfKey(event.key);
  if (command !== null && runTranscriptCommand(command)) event.preventDefault();
}

interface RowSlotProps {
  id: string;
  index: number;
  count: number;
  measure: ListVirtualizer["measureElement"];
  isMarked: boolean;
}

const RowSlot = memo(function RowSlot({ id, index, count, measure, isMarked }: RowSlotProps) {
  const row = useRow(id);
  const viewer = useViewer();
  if (row === undefined) return null;
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- rows take the focus from J and K, and open by key
    <article
      ref={measure}
      data-index={index}
      data-row={id}
      data-kind={row.kind}
      data-marked={isMarked || undefined}
      className="row"
      tabIndex={-1}
      aria-label={authorOf(row, viewer)}
      aria-posinset={index + 1}
      aria-setsize={count}
      aria-busy={"isLive" in row && row.isLive ? true : undefined}
      onKeyDown={toggleOnKey}
    >
      {row.kind === "prompt" && !row.isSteering && <h2 className="sr-only">{t.turn((row.text ?? "").slice(0, 80))}</h2>}
      <RowContent row={row} />
    </article>
  );
});

/** Space and Enter on the row itself open it; on a control inside they are the control's. */
function toggleOnKey(event: KeyboardEvent<HTMLElement>): void {
  if ((event.key !== " " && event.key !== "Enter") || event.target !== event.currentTarget) return;
  const toggle = event.currentTarget.querySelector<HTMLButtonElement>("[data-toggle]");
  if (toggle === null) return;
  event.preventDefault();
  toggle.click();
}

function authorOf(row: Row, viewer: ViewerIdentity | null): string {
  if (row.kind === "prompt") return isBy(row.author, viewer) ? t.you : (row.author?.name ?? t.you);
  if (row.kind === "execution") return row.author?.name ?? t.session;
  return row.kind === "status" || row.kind === "approval" ? t.session : t.claude;
}

function JumpToLatest({ onJump }: { onJump: () => void }) {
  return (
    <button type="button" className="jump" onClick={onJump}>
      {t.skipToLatest}
      <ArrowDown size={14} strokeWidth={1.75} aria-hidden="true" />
    </button>
  );
}

/** Stands in the list's own bottom padding, so that it never is the last row and moves nothing. */
function WorkingNote() {
  const turn = useThread()?.turn ?? null;
  if (turn === null) return null;
  const { startedAt, waitedMs, waitingSince } = turn;
  return (
    <p className="working" aria-hidden="true">
      {waitingSince === null ? <span className="live-dot" /> : <StateDot state="needs_you" label="" />}
      <span>{waitingSince === null ? t.working : t.waitingForYou}</span>
      {/* Its own work only: the clock stands while a person is asked. */}
      <Elapsed since={startedAt + waitedMs} until={waitingSince ?? undefined} />
    </p>
  );
}

function OlderNote() {
  const { hasOlder, isLoading } = useHistory();
  const { loadOlder } = useActions();
  if (!hasOlder) return null;
  return (
    <div className="older">
      <button type="button" disabled={isLoading} onClick={() => void loadOlder().catch(() => undefined)}>
        {isLoading ? t.loadingOlder : t.loadOlder}
      </button>
    </div>
  );
}

/** Fetches the page before when the reader comes near the first row, also when the rows do not fill the screen. */
function useOlderOnApproach(scroller: HTMLDivElement | null, ids: readonly string[]): void {
  const { hasOlder, isLoading } = useHistory();
  const { loadOlder } = useActions();
  useEffect(() => {
    if (scroller === null || !hasOlder || isLoading || ids.length === 0) return;
    const look = () => {
      if (scroller.scrollTop < APPROACH_PX) void loadOlder().catch(() => undefined);
    };
    look();
    scroller.addEventListener("scroll", look, { passive: true });
    return () => scroller.removeEventListener("scroll", look);
  }, [scroller, hasOlder, isLoading, ids, loadOlder]);
}

/** One's own new prompt is followed, wherever one was reading. */
function useFollowOnSend(dispatch: (input: { type: "sent" }) => void): void {
  const { store } = useSessionHandle();
  useEffect(() => {
    let known = new Set(store.outbox.get().map((prompt) => prompt.promptId));
    return store.outbox.subscribe(() => {
      const now = store.outbox.get();
      const isNew = now.some((prompt) => !known.has(prompt.promptId) && prompt.status !== "not_confirmed");
      known = new Set(now.map((prompt) => prompt.promptId));
      const state = store.state.get();
      if (isNew && (state === null || threadOf(state, store.thread.get()).turn === null)) dispatch({ type: "sent" });
    });
  }, [store, dispatch]);
}
