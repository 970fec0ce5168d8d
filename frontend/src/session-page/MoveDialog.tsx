/** To another host: what travels is said first, then how far it is. Closing the dialog stops nothing. */
import type { SessionState } from "@ai-dev-platform/protocol/state";
import { useEffect, useState } from "react";
import { useConfig } from "../auth/use-me.ts";
import { HOST_WORDS } from "../hosting/messages.ts";
import { useSessionHandle } from "../session/context.ts";
import { openTurns } from "../session/threads.ts";
import { useActions, useRowIds } from "../session/use-session.ts";
import { useMachines } from "../settings/use-settings.ts";
import type { StatusDetail } from "../transcript/rows.ts";
import { Button } from "../ui/button.tsx";
import { Callout } from "../ui/callout.tsx";
import { Choice } from "../ui/choice.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { formatCount } from "../ui/format.ts";
import { toast } from "../ui/toast.ts";
import { failureReason } from "./failure.ts";
import { t } from "./late-messages.ts";
import { isAt, moveEnd, moveTargets, type MoveTarget } from "./move-targets.ts";

interface Asked {
  target: MoveTarget;
  /** Of the newest entry when it was asked. */
  seq: number;
}

const nameOf = ({ host, machine, machineId }: MoveTarget): string =>
  machine?.name ?? (host === "machine" && machineId === null ? t.move.anyMachine : HOST_WORDS[host].label);

function describe({ host, machine, hindrance }: MoveTarget): string | undefined {
  if (hindrance !== null) return t.move.hindrance[hindrance];
  if (machine === null) return host === "machine" ? t.move.anyDescription : HOST_WORDS[host].description;
  return t.move.running(formatCount(machine.running), formatCount(machine.capacity));
}

/** How the move that was asked for ended; null while it is under way, or none was. */
function useMoveEnd(asked: Asked | null): StatusDetail | null {
  const ids = useRowIds();
  const { store } = useSessionHandle();
  return asked === null
    ? null
    : moveEnd(
        ids.flatMap((id) => store.row(id) ?? []),
        asked.seq,
      );
}

function useMove(seq: number, onClose: () => void) {
  const actions = useActions();
  const { store } = useSessionHandle();
  const [asked, setAsked] = useState<Asked | null>(null);
  const [refusal, setRefusal] = useState<string | null>(null);
  const end = useMoveEnd(asked);
  // A move to where it is already is agreed to and makes no event.
  const [wasThere, setWasThere] = useState(false);
  const isThere = wasThere || end?.what === "moved";
  useEffect(() => {
    if (!isThere || asked === null) return;
    toast(t.move.done(nameOf(asked.target)));
    onClose();
  }, [isThere, asked, onClose]);
  const move = (target: MoveTarget) => {
    setRefusal(null);
    setAsked({ target, seq });
    actions
      .setHost(target.host, target.machineId)
      .then(() => setWasThere(isAt(store.state.get(), target)))
      .catch((error: unknown) => {
        setRefusal(failureReason(error));
        setAsked(null);
      });
  };
  const failure = end?.what === "move_failed" ? (end.problem.detail ?? end.problem.message) : refusal;
  return { move, isMoving: asked !== null && failure === null, failure };
}

export default function MoveDialog({ state, onClose }: { state: SessionState; onClose: () => void }) {
  const config = useConfig();
  const machines = useMachines();
  const { move, isMoving, failure } = useMove(state.seq, onClose);
  const [chosenId, setChosenId] = useState<string | null>(null);
  const isKnown = config.data !== undefined && machines.data !== undefined;
  const targets = moveTargets(state, config.data?.sandbox === true, machines.data ?? []);
  const free = targets.filter(({ hindrance }) => hindrance === null);
  const chosen = free.find(({ id }) => id === chosenId) ?? free[0];
  const isBusy = openTurns(state).length > 0;
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t.move.title}
      description={t.move.travels}
      footer={
        <>
          <Button onClick={onClose}>{isMoving ? t.move.close : t.move.cancel}</Button>
          <Button variant="primary" disabled={isMoving || isBusy || chosen === undefined} onClick={() => chosen && move(chosen)}>
            {isMoving ? t.move.moving : t.move.confirm}
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-3">
        {isBusy && !isMoving && <Callout tone="warn">{t.move.busy}</Callout>}
        {isKnown && free.length === 0 && <Callout tone="plain">{t.move.nowhere}</Callout>}
        {chosen !== undefined && (
          <Choice
            label={t.move.where}
            value={chosen.id}
            onChange={setChosenId}
            options={targets.map((target) => ({
              value: target.id,
              label: nameOf(target),
              description: describe(target),
              disabled: isMoving || target.hindrance !== null,
            }))}
          />
        )}
        {isMoving && <output className="text-ui text-fg-2">{t.move.progress}</output>}
        {failure !== null && (
          <Callout tone="bad" alert>
            <p className="font-medium">{t.move.failed}</p>
            <p>{failure}</p>
          </Callout>
        )}
      </div>
    </Dialog>
  );
}
