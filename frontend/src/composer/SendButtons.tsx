import { ArrowUp, Square } from "lucide-react";
import { isMac } from "../keyboard/platform.ts";
import { shownFor } from "../keyboard/shortcuts.ts";
import { Button, IconButton } from "../ui/button.tsx";
import { t } from "./messages.ts";
import { useStop, type StopState } from "./use-stop.ts";

const STOP_WORDS: Record<Exclude<StopState, "none">, string> = { running: t.stop, stopping: t.stopping, still_stopping: t.stillStopping };

/** Stop while a turn runs; Queue beside it for what is typed; and the one that sends. */
export function SendButtons({ isEmpty, onSend, onQueue }: { isEmpty: boolean; onSend: () => void; onQueue: () => void }) {
  const { state, stop } = useStop();
  const isRunning = state !== "none";
  return (
    <span className="flex items-center gap-1.5">
      {state !== "none" && (
        <Button
          size="sm"
          aria-keyshortcuts={isMac ? "Meta+." : "Control+."}
          title={`${t.stop} ${shownFor("stop", isMac)}`}
          disabled={state !== "running"}
          onClick={stop}
        >
          <Square aria-hidden className="size-3 fill-current" />
          <span className={state === "running" ? "max-sm:sr-only" : undefined}>{STOP_WORDS[state]}</span>
        </Button>
      )}
      {isRunning && !isEmpty && (
        <Button size="sm" title={`${t.queueLong} ${shownFor("queue", isMac)}`} onClick={onQueue}>
          {t.queue}
        </Button>
      )}
      <IconButton variant="primary" label={isRunning ? t.sendSteer : t.send} disabled={isEmpty} onClick={onSend}>
        <ArrowUp />
      </IconButton>
    </span>
  );
}
