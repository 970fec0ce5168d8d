/**
 * Where a prompt is typed. Stands outside the transcript's tree, so that streamed text never delays a key.
 * Invariant: what is typed leaves the field only into the outbox, which keeps it until the session has it.
 */
import { MAX_PROMPT_CHARS } from "@ai-dev-platform/protocol/limits";
import { may } from "@ai-dev-platform/protocol/roles";
import type { Delivery } from "@ai-dev-platform/protocol/events";
import type { SessionState } from "@ai-dev-platform/protocol/state";
import { lazy, Suspense, useId, useRef, useState } from "react";
import { useDraft } from "../session/drafts.ts";
import {
  useActions,
  useOutbox,
  usePromptsInTranscript,
  useRow,
  useRowIds,
  useSessionState,
  useThreadName,
  useViewer,
} from "../session/use-session.ts";
import { MAIN_THREAD_NAME, threadOf } from "../session/threads.ts";
import { focusTranscript } from "../session-page/focus.ts";
import { ModeChip, ModelChip } from "./Chips.tsx";
import { t } from "./messages.ts";
import { Meter } from "./Meter.tsx";
import { PromptField } from "./PromptField.tsx";
import { SendButtons } from "./SendButtons.tsx";
import type { FieldAction } from "./send-key.ts";
import { SuggestionList } from "./SuggestionList.tsx";
import { useComposerCommands } from "./use-composer-commands.ts";
import { useSuggestions, type Suggestion } from "./use-suggestions.ts";

const WaitingPrompts = lazy(() => import("./WaitingPrompts.tsx").then((module) => ({ default: module.WaitingPrompts })));

export interface ComposerProps {
  sessionId: string;
  /** Null where this person may not share. */
  onShare: (() => void) | null;
}

export function Composer({ sessionId, onShare }: ComposerProps) {
  const state = useSessionState();
  const viewer = useViewer();
  if (state === null || viewer === null) return <div aria-hidden className="h-[104px] rounded-dock border border-line bg-surface" />;
  if (!may(viewer.role, "drive")) {
    const role = viewer.role === "approver" || viewer.role === "commenter" ? viewer.role : "viewer";
    return (
      <p className="rounded-dock border border-line bg-surface px-3.5 py-3 text-ui text-fg-2">
        {t.readOnly[role]} {t.askOwner}
      </p>
    );
  }
  return <DrivingComposer sessionId={sessionId} state={state} onShare={onShare} />;
}

/** Prompts as chips: the queue without those that the transcript shows, and this browser's unsent ones. */
function useWaiting(state: SessionState, thread: string) {
  const outbox = useOutbox();
  const inTranscript = usePromptsInTranscript();
  // While no machine takes it, the head waits too and must be within reach.
  const isHeld = state.host.state === "waiting" || state.host.state === "failed";
  const order = state.queue.filter((prompt) => prompt.thread === thread);
  const queue = order.filter((prompt) => isHeld || !inTranscript.has(prompt.promptId));
  const mine = outbox.filter((prompt) => (prompt.thread ?? MAIN_THREAD_NAME) === thread && !inTranscript.has(prompt.promptId));
  return { order, queue, outbox: mine };
}

/** The newest prompt's text, to be recalled into an empty field. */
function useLastPrompt(): string | null {
  const row = useRow(useRowIds().findLast((id) => id.startsWith("prompt:")) ?? "");
  return row?.kind === "prompt" ? row.text : null;
}

/** Typing is the sign that a runner is wanted: asked once per sleep, never by a mere look. */
function useWarmOnTyping(state: SessionState): () => void {
  const actions = useActions();
  const warmedFor = useRef<number | null>(null);
  return () => {
    const { state: host, since } = state.host;
    if (state.budgetReached || state.timeCapReached) return;
    if ((host !== "asleep" && host !== "lost" && host !== "failed") || warmedFor.current === since) return;
    warmedFor.current = since;
    actions.warm();
  };
}

/** What is typed to one agent is not typed to another. */
const draftKey = (sessionId: string, thread: string) => (thread === MAIN_THREAD_NAME ? sessionId : `${sessionId}/${thread}`);

function DrivingComposer({ sessionId, state, onShare }: ComposerProps & { state: SessionState }) {
  const listId = useId();
  const actions = useActions();
  const field = useRef<HTMLTextAreaElement>(null);
  const name = useThreadName();
  const thread = threadOf(state, name);
  const [text, setText, clear] = useDraft(draftKey(sessionId, name));
  const [caret, setCaret] = useState(text.length);
  const [editingId, setEditingId] = useState<string | null>(null);
  const commands = useComposerCommands(state, onShare);
  const suggestions = useSuggestions(sessionId, text, caret, commands.context, state.host.state === "ready" || state.saved !== null);
  const waiting = useWaiting(state, name);
  const lastPrompt = useLastPrompt();
  const warm = useWarmOnTyping(state);

  const write = (next: string, nextCaret: number) => {
    setText(next);
    setCaret(nextCaret);
    requestAnimationFrame(() => field.current?.setSelectionRange(nextCaret, nextCaret));
  };
  const submit = (delivery: Delivery, typed = text) => {
    const prompt = typed.trim();
    if (prompt === "" || prompt.length > MAX_PROMPT_CHARS) return;
    if (!commands.run(prompt)) actions.sendPrompt(prompt, delivery);
    clear();
    setCaret(0);
    field.current?.focus();
  };
  const choose = (item: Suggestion) => {
    if (item.runs) submit("steer", item.text);
    else write(item.text, item.caret);
    field.current?.focus();
  };
  const onAction = (action: Exclude<FieldAction, "none">): boolean => {
    const item = suggestions.items[suggestions.active];
    switch (action) {
      case "send":
      case "queue":
        submit(action === "queue" ? "queue" : "steer");
        return true;
      case "list_next":
      case "list_previous":
        suggestions.move(action === "list_next" ? 1 : -1);
        return true;
      case "list_choose":
        // A command typed to the end is meant as it stands.
        if (item === undefined || (item.group === "agent" && item.text === text)) return submitWhole();
        choose(item);
        return true;
      case "list_close":
        suggestions.close();
        return true;
      case "recall": {
        const last = waiting.queue.at(-1);
        if (last !== undefined) setEditingId(last.promptId);
        else if (lastPrompt !== null) write(lastPrompt, lastPrompt.length);
        return last !== undefined || lastPrompt !== null;
      }
      case "leave":
        focusTranscript();
        return false;
    }
  };
  const submitWhole = (): boolean => {
    submit("steer");
    return true;
  };

  const isRunning = thread.turn !== null;
  // Said, never cut off: a pasted text stays whole in the field.
  const isTooLong = text.length > MAX_PROMPT_CHARS && text.trim().length > MAX_PROMPT_CHARS;
  return (
    <div className="flex flex-none flex-col gap-1.5">
      {waiting.queue.length + waiting.outbox.length > 0 && (
        <Suspense fallback={null}>
          <WaitingPrompts {...waiting} isRunning={isRunning} editingId={editingId} onEdit={setEditingId} />
        </Suspense>
      )}
      <div className="relative rounded-dock border border-line-strong bg-surface transition-colors focus-within:border-fg-3">
        <SuggestionList id={listId} suggestions={suggestions} onChoose={choose} />
        <PromptField
          field={field}
          text={text}
          placeholder={isRunning ? t.placeholderRunning : t.placeholder}
          listId={listId}
          listSize={suggestions.items.length}
          activeOption={suggestions.active}
          onChange={(next, nextCaret) => {
            setText(next);
            setCaret(nextCaret);
            if (next !== "") warm();
          }}
          onCaret={setCaret}
          onAction={onAction}
        />
        {isTooLong && (
          <p role="alert" className="px-3.5 pt-1 text-label text-bad">
            {t.tooLong}
          </p>
        )}
        <div className="flex items-center gap-0.5 px-1.5 pb-1.5 pl-2">
          <ModeChip mode={thread.mode} />
          <ModelChip state={state} />
          <span className="flex-1" />
          <Meter state={state} thread={thread} />
          <SendButtons isEmpty={text.trim() === "" || isTooLong} onSend={() => submit("steer")} onQueue={() => submit("queue")} />
        </div>
      </div>
      {/* Wider screens say it in the header. */}
      {state.modelSource === "demo" && <p className="text-center text-meta text-fg-3 md:hidden">{t.demo}</p>}
    </div>
  );
}
