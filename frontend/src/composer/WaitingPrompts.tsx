/**
 * Prompts on their way and waiting, above the field: this browser's own outbox, then the session's queue.
 * A queued prompt can be edited, moved and withdrawn until a turn takes it; nothing here is sent again by itself.
 */
import type { QueuedPrompt } from "@ai-dev-platform/protocol/state";
import { ArrowDown, ArrowUp, Clock, Ellipsis, Pencil, RotateCcw, TriangleAlert, X } from "lucide-react";
import { useEffect, useRef, useState, type ReactNode } from "react";
import { showFailure } from "../session-page/failure.ts";
import { PHONE, useMedia } from "../session-page/use-media.ts";
import { useActions } from "../session/use-session.ts";
import type { OutboxPrompt } from "../session/outbox.ts";
import { Button, IconButton } from "../ui/button.tsx";
import { Menu, MenuItem } from "../ui/menu.tsx";
import { t } from "./waiting-messages.ts";

function Line({ icon, state, text, children }: { icon: ReactNode; state: string; text: string; children?: ReactNode }) {
  return (
    <li className="flex min-h-9 items-center gap-2 rounded-card border border-line bg-surface py-0.5 pr-1 pl-2.5 [&>svg]:size-3.5 [&>svg]:flex-none [&>svg]:text-fg-3">
      {icon}
      <span className="flex-none text-label text-fg-3">{state}</span>
      <span className="min-w-0 flex-1 truncate text-ui">{text}</span>
      <span className="flex flex-none items-center">{children}</span>
    </li>
  );
}

function EditLine({ prompt, onDone }: { prompt: QueuedPrompt; onDone: () => void }) {
  const actions = useActions();
  const field = useRef<HTMLTextAreaElement>(null);
  const [text, setText] = useState(prompt.text);
  useEffect(() => field.current?.focus(), []);
  const save = () => {
    const trimmed = text.trim();
    if (trimmed === "") return;
    if (trimmed === prompt.text) onDone();
    else actions.editPrompt(prompt.promptId, trimmed).then(onDone, showFailure);
  };
  return (
    <li className="flex flex-col gap-2 rounded-card border border-line-strong bg-surface p-2">
      <textarea
        ref={field}
        aria-label={t.waiting.editField}
        rows={Math.min(6, text.split("\n").length + 1)}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.nativeEvent.isComposing) return;
          if (event.key === "Escape") {
            event.stopPropagation();
            onDone();
          } else if (event.key === "Enter" && (event.metaKey || event.ctrlKey)) save();
        }}
        className="field w-full resize-none rounded-control bg-surface px-1 outline-offset-0"
      />
      <div className="flex justify-end gap-2">
        <Button size="sm" variant="ghost" onClick={onDone}>
          {t.waiting.cancel}
        </Button>
        <Button size="sm" variant="primary" disabled={text.trim() === ""} onClick={save}>
          {t.waiting.save}
        </Button>
      </div>
    </li>
  );
}

function OutboxLine({ prompt }: { prompt: OutboxPrompt }) {
  const actions = useActions();
  const isStuck = prompt.status === "not_confirmed" || prompt.status === "refused";
  const state = prompt.message ?? t.outbox[prompt.status];
  return (
    <Line icon={isStuck ? <TriangleAlert aria-hidden /> : <Clock aria-hidden />} state={state} text={prompt.text}>
      {isStuck && (
        <>
          <Button size="sm" variant="ghost" onClick={() => actions.retryPrompt(prompt.promptId)}>
            <RotateCcw aria-hidden className="size-3.5" />
            {t.outbox.retry}
          </Button>
          <Button size="sm" variant="ghost" onClick={() => actions.discardPrompt(prompt.promptId)}>
            {t.outbox.discard}
          </Button>
        </>
      )}
    </Line>
  );
}

interface QueuedControlsProps {
  canMoveUp: boolean;
  canMoveDown: boolean;
  onMove: (step: 1 | -1) => void;
  onEdit: () => void;
  onWithdraw: () => void;
}

/** Buttons where there is room for them, one menu on the phone. */
function QueuedControls({ canMoveUp, canMoveDown, onMove, onEdit, onWithdraw }: QueuedControlsProps) {
  const isPhone = useMedia(PHONE);
  if (isPhone) {
    return (
      <Menu
        label={t.waiting.more}
        align="end"
        trigger={
          <IconButton size="sm" label={t.waiting.more}>
            <Ellipsis />
          </IconButton>
        }
      >
        <MenuItem icon={<Pencil />} onSelect={onEdit}>
          {t.waiting.edit}
        </MenuItem>
        <MenuItem icon={<ArrowUp />} disabled={!canMoveUp} onSelect={() => onMove(-1)}>
          {t.waiting.up}
        </MenuItem>
        <MenuItem icon={<ArrowDown />} disabled={!canMoveDown} onSelect={() => onMove(1)}>
          {t.waiting.down}
        </MenuItem>
        <MenuItem icon={<X />} onSelect={onWithdraw}>
          {t.waiting.withdraw}
        </MenuItem>
      </Menu>
    );
  }
  return (
    <>
      {(canMoveUp || canMoveDown) && (
        <>
          <IconButton size="sm" label={t.waiting.up} disabled={!canMoveUp} onClick={() => onMove(-1)}>
            <ArrowUp />
          </IconButton>
          <IconButton size="sm" label={t.waiting.down} disabled={!canMoveDown} onClick={() => onMove(1)}>
            <ArrowDown />
          </IconButton>
        </>
      )}
      <IconButton size="sm" label={t.waiting.edit} onClick={onEdit}>
        <Pencil />
      </IconButton>
      <IconButton size="sm" label={t.waiting.withdraw} onClick={onWithdraw}>
        <X />
      </IconButton>
    </>
  );
}

export interface WaitingPromptsProps {
  queue: readonly QueuedPrompt[];
  /** All that wait for this agent: positions are counted in it. */
  order: readonly QueuedPrompt[];
  outbox: readonly OutboxPrompt[];
  isRunning: boolean;
  editingId: string | null;
  onEdit: (promptId: string | null) => void;
}

export function WaitingPrompts({ queue, order, outbox, isRunning, editingId, onEdit }: WaitingPromptsProps) {
  const actions = useActions();
  const queuedIds = new Set(queue.map((prompt) => prompt.promptId));
  const mine = outbox.filter((prompt) => !queuedIds.has(prompt.promptId));
  const move = (prompt: QueuedPrompt, to: number) => {
    // To the place of the neighbour, which may stand behind one that the transcript shows.
    const neighbour = queue[to];
    if (neighbour !== undefined) actions.movePrompt(prompt.promptId, order.indexOf(neighbour)).catch(showFailure);
  };
  if (queue.length === 0 && mine.length === 0) return null;
  return (
    <ol aria-label={t.waiting.region} className="flex max-h-48 flex-col gap-1 overflow-y-auto">
      {queue.map((prompt, index) =>
        prompt.promptId === editingId ? (
          <EditLine key={prompt.promptId} prompt={prompt} onDone={() => onEdit(null)} />
        ) : (
          <Line
            key={prompt.promptId}
            icon={<Clock aria-hidden />}
            state={isRunning ? t.waiting[prompt.delivery] : t.waiting.idle}
            text={prompt.text}
          >
            <QueuedControls
              canMoveUp={index > 0}
              canMoveDown={index < queue.length - 1}
              onMove={(step) => move(prompt, index + step)}
              onEdit={() => onEdit(prompt.promptId)}
              onWithdraw={() => void actions.withdrawPrompt(prompt.promptId).catch(showFailure)}
            />
          </Line>
        ),
      )}
      {mine.map((prompt) => (
        <OutboxLine key={prompt.promptId} prompt={prompt} />
      ))}
    </ol>
  );
}
