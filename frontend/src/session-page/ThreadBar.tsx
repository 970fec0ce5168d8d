/**
 * The agents of a session: tabs over the transcript, on the phone a picker. Each has its own conversation and its own dot;
 * which one is shown is in the address. Loaded only where there is more than one, or where there may be.
 */
import { MAX_THREADS } from "@ai-dev-platform/protocol/limits";
import { may } from "@ai-dev-platform/protocol/roles";
import type { SessionState, ThreadState } from "@ai-dev-platform/protocol/state";
import { Plus, Square } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { openTurns } from "../session/threads.ts";
import { useActions, useThreadName, useViewer } from "../session/use-session.ts";
import { Button, IconButton } from "../ui/button.tsx";
import { classes } from "../ui/classes.ts";
import { ChipSelect } from "../ui/chip-select.tsx";
import { StateDot } from "../ui/state-dot.tsx";
import { showFailure } from "./failure.ts";
import { t } from "./late-messages.ts";
import { t as screen } from "./messages.ts";
import { threadDot } from "./page-state.ts";
import { threadTitle } from "./thread-title.ts";
import { useThreadPlace } from "./use-thread-place.ts";

const ThreadDialog = lazy(() => import("./ThreadDialog.tsx"));

function Tab({ state, one, isShown, onShow }: { state: SessionState; one: ThreadState; isShown: boolean; onShow: () => void }) {
  const dot = threadDot(one, state.approvals);
  return (
    <li className="flex-none">
      <button
        type="button"
        aria-current={isShown ? "page" : undefined}
        onClick={onShow}
        className={classes(
          "inline-flex h-7 max-w-52 items-center gap-1.5 rounded-control px-2 text-label font-medium",
          isShown ? "bg-hover text-fg" : "text-fg-2 hover:bg-hover hover:text-fg",
        )}
      >
        <StateDot state={dot} label={screen.dot[dot]} />
        <span className="truncate">{threadTitle(one)}</span>
      </button>
    </li>
  );
}

export default function ThreadBar({ state, isPhone }: { state: SessionState; isPhone: boolean }) {
  const actions = useActions();
  const viewer = useViewer();
  const shown = useThreadName();
  const [, showThread] = useThreadPlace();
  const [isAsking, setIsAsking] = useState(false);
  const mayDrive = viewer !== null && may(viewer.role, "drive");
  const running = openTurns(state).length;
  const isFull = state.threads.length >= MAX_THREADS;
  return (
    <nav aria-label={t.threads.region} className="flex h-9 flex-none items-center gap-1 border-b border-line px-2 pointer-coarse:h-12">
      {isPhone ? (
        <ChipSelect
          label={t.threads.region}
          value={shown}
          onChange={showThread}
          options={state.threads.map((one) => ({
            value: one.thread,
            label: `${threadTitle(one)} · ${screen.dot[threadDot(one, state.approvals)]}`,
          }))}
        />
      ) : (
        <ul className="flex min-w-0 items-center gap-0.5 overflow-x-auto">
          {state.threads.map((one) => (
            <Tab key={one.thread} state={state} one={one} isShown={one.thread === shown} onShow={() => showThread(one.thread)} />
          ))}
        </ul>
      )}
      {mayDrive && (
        <IconButton
          size="sm"
          label={isFull ? t.threads.full(MAX_THREADS) : t.threads.start}
          disabled={isFull}
          onClick={() => setIsAsking(true)}
        >
          <Plus />
        </IconButton>
      )}
      <span className="flex-1" />
      {mayDrive && running > 1 && (
        <Button size="sm" variant="ghost" onClick={() => void actions.stopAll().catch(showFailure)}>
          <Square aria-hidden className="size-3 fill-current" />
          {t.threads.stopAll}
        </Button>
      )}
      {isAsking && (
        <Suspense fallback={null}>
          <ThreadDialog state={state} onClose={() => setIsAsking(false)} />
        </Suspense>
      )}
    </nav>
  );
}
