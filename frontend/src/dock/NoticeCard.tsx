import type { Problem } from "@ai-dev-platform/protocol/events";
import { may } from "@ai-dev-platform/protocol/roles";
import { CircleDollarSign, KeyRound, ServerCrash, ServerOff, Unplug } from "lucide-react";
import { useState, type ReactNode } from "react";
import { Link } from "wouter";
import { paths } from "../routes.ts";
import { showFailure } from "../session-page/failure.ts";
import { ScrollBox } from "../session-page/ScrollBox.tsx";
import { useActions, useRow, useRowIds, useSessionState, useViewer } from "../session/use-session.ts";
import { Button, buttonClass } from "../ui/button.tsx";
import { DockCard } from "./DockCard.tsx";
import type { DockItem } from "./dock-items.ts";
import { t } from "./messages.ts";

type ItemOf<K extends DockItem["kind"]> = Extract<DockItem, { kind: K }>;

/** A budget grows by this much at a time: enough for a good piece of work, small enough to notice. */
const BUDGET_STEP_USD = 5;

function ProblemText({ problem, children }: { problem: Problem | null; children?: ReactNode }) {
  return (
    <>
      <p className="text-ui text-fg-2">
        {problem?.message} {children}
      </p>
      {problem?.detail !== undefined && problem.detail !== "" && (
        <details className="mt-1 text-label text-fg-2">
          <summary className="min-h-6">{t.details}</summary>
          <ScrollBox
            label={t.details}
            className="mt-1 max-h-40 overflow-auto rounded-control border border-line bg-surface p-2 font-mono break-words whitespace-pre-wrap"
          >
            {problem.detail}
          </ScrollBox>
        </details>
      )}
    </>
  );
}

export function BudgetCard({ item, onStop }: { item: ItemOf<"budget">; onStop: () => void }) {
  const actions = useActions();
  const viewer = useViewer();
  const state = useSessionState();
  const [isBusy, setIsBusy] = useState(false);
  const isOwner = viewer !== null && may(viewer.role, "own");
  const raise = () => {
    setIsBusy(true);
    // From what is spent, so that one step is always worth its name.
    const base = Math.max(item.budgetUsd, item.spentUsd);
    actions
      .setBudget(Math.ceil(base + BUDGET_STEP_USD))
      .catch(showFailure)
      .finally(() => setIsBusy(false));
  };
  const stop = () => {
    if (state?.turn) actions.stop().catch(showFailure);
    onStop();
  };
  return (
    <DockCard
      icon={<CircleDollarSign aria-hidden />}
      title={t.budget.title(item.budgetUsd)}
      actions={
        isOwner ? (
          <>
            <Button variant="primary" disabled={isBusy} onClick={raise}>
              {t.budget.add(BUDGET_STEP_USD)}
            </Button>
            <Button onClick={stop}>{t.budget.stop}</Button>
          </>
        ) : (
          <p className="text-ui text-fg-2">{t.budget.askOwner}</p>
        )
      }
    >
      <p className="text-ui text-fg-2">{t.budget.body}</p>
    </DockCard>
  );
}

export function KeyCard({ item }: { item: ItemOf<"key"> }) {
  const viewer = useViewer();
  const isOwner = viewer !== null && may(viewer.role, "own");
  return (
    <DockCard
      icon={<KeyRound aria-hidden />}
      title={item.problem.message}
      actions={
        isOwner ? (
          <Link href={paths.settings("api-key")} className={buttonClass("primary")}>
            {t.key.openSettings}
          </Link>
        ) : undefined
      }
    >
      {item.problem.detail !== undefined && <p className="text-ui text-fg-2">{item.problem.detail}</p>}
    </DockCard>
  );
}

export function HostCard({ item }: { item: ItemOf<"host_waiting" | "host_failed" | "host_lost"> }) {
  const actions = useActions();
  const viewer = useViewer();
  const state = useSessionState();
  const mayDrive = viewer !== null && may(viewer.role, "drive");
  const isOwner = viewer !== null && may(viewer.role, "own");
  const saved = state?.saved ?? null;
  const tryAgain = mayDrive ? (
    <Button variant="primary" onClick={() => actions.warm()}>
      {t.host.tryAgain}
    </Button>
  ) : undefined;
  switch (item.kind) {
    case "host_waiting":
      return (
        <DockCard
          icon={<Unplug aria-hidden />}
          title={t.host.waitingTitle}
          actions={
            mayDrive ? (
              <>
                {isOwner && (
                  <Link href={paths.settings("machines")} className={buttonClass("primary")}>
                    {t.host.openMachines}
                  </Link>
                )}
                <Button onClick={() => actions.warm()}>{t.host.tryAgain}</Button>
              </>
            ) : undefined
          }
        >
          <ProblemText problem={item.problem}>{item.problem === null && t.host.waitingBody}</ProblemText>
        </DockCard>
      );
    case "host_failed":
      return (
        <DockCard icon={<ServerCrash aria-hidden />} title={t.host.failedTitle(item.hostName)} actions={tryAgain}>
          <ProblemText problem={item.problem}>{t.host.failedBody}</ProblemText>
        </DockCard>
      );
    case "host_lost":
      return (
        <DockCard icon={<ServerOff aria-hidden />} title={t.host.lostTitle(item.hostName)} actions={tryAgain}>
          <ProblemText problem={item.problem}>
            {item.problem === null ? t.host.lostBody : ""} {saved === null ? t.host.notSaved : t.host.savedThrough(saved.throughSeq)}
          </ProblemText>
        </DockCard>
      );
  }
}

export function InterruptedCard({ item, onDone }: { item: ItemOf<"interrupted">; onDone: () => void }) {
  const actions = useActions();
  const viewer = useViewer();
  const state = useSessionState();
  const lastPromptRow = useRow(useRowIds().findLast((id) => id.startsWith("prompt:")) ?? "");
  const mayDrive = viewer !== null && may(viewer.role, "drive");
  const again = lastPromptRow?.kind === "prompt" && lastPromptRow.turnId === state?.lastTurn?.turnId ? lastPromptRow.text : null;
  const send = (text: string) => {
    actions.sendPrompt(text, "steer");
    onDone();
  };
  return (
    <DockCard
      icon={<ServerOff aria-hidden />}
      title={t.interrupted.title}
      actions={
        mayDrive ? (
          <>
            <Button variant="primary" onClick={() => send(t.interrupted.prompt)}>
              {t.interrupted.proceed}
            </Button>
            {again !== null && <Button onClick={() => send(again)}>{t.interrupted.runAgain}</Button>}
          </>
        ) : undefined
      }
    >
      <ProblemText problem={item.problem}>{t.interrupted.body}</ProblemText>
    </DockCard>
  );
}
