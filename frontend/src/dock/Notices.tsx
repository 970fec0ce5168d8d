/** The dock's cards that are no request. Loaded after first paint: none of them is what one opens a session for. */
import { may } from "@ai-dev-platform/protocol/roles";
import { KeyRound, ServerOff, ShieldX } from "lucide-react";
import { Link } from "wouter";
import { paths } from "../routes.ts";
import NextStep from "../machines/NextStep.tsx";
import { threadTitle } from "../session-page/thread-title.ts";
import { hasSeveralThreads, threadOf } from "../session/threads.ts";
import { useActions, useRow, useRowIds, useSessionState, useViewer } from "../session/use-session.ts";
import { Button, buttonClass } from "../ui/button.tsx";
import { BlockedCard } from "./BlockedCard.tsx";
import { BudgetCard, HoursCard } from "./CapCards.tsx";
import { DockCard } from "./DockCard.tsx";
import type { DockItem } from "./dock-items.ts";
import { HostCard } from "./HostCards.tsx";
import { t as dock } from "./messages.ts";
import { t } from "./notice-messages.ts";
import { ProblemText } from "./ProblemText.tsx";

type ItemOf<K extends DockItem["kind"]> = Extract<DockItem, { kind: K }>;
type ProblemItem = ItemOf<"key" | "refused">;
export type NoticeItem = Exclude<DockItem, { kind: "approval" }>;

export default function Notice({ item, onHide }: { item: NoticeItem; onHide: () => void }) {
  switch (item.kind) {
    case "budget":
      return <BudgetCard item={item} onStop={onHide} />;
    case "hours":
      return <HoursCard item={item} onStop={onHide} />;
    case "key":
      return <KeyCard item={item} />;
    case "refused":
      return <RefusedCard item={item} />;
    case "host_waiting":
    case "host_failed":
    case "host_lost":
      return <HostCard item={item} />;
    case "interrupted":
      return <InterruptedCard item={item} onDone={onHide} />;
    case "blocked":
      return <BlockedCard item={item} />;
  }
}

function KeyCard({ item }: { item: ProblemItem }) {
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

/** The owner's machine did not do it. What to do there is said; who may not go there is told whom to ask. */
function RefusedCard({ item }: { item: ProblemItem }) {
  const viewer = useViewer();
  const isOwner = viewer !== null && may(viewer.role, "own");
  return (
    <DockCard
      icon={<ShieldX aria-hidden />}
      title={t.refused.title}
      actions={
        isOwner && item.problem.code === "command_refused" ? (
          <Link href={paths.settings("machines")} className={buttonClass("primary")}>
            {t.host.openMachines}
          </Link>
        ) : undefined
      }
    >
      <ProblemText problem={item.problem} />
      {isOwner ? <NextStep code={item.problem.code} /> : <p className="mt-1 text-ui text-fg-2">{t.refused.askOwner}</p>}
    </DockCard>
  );
}

function InterruptedCard({ item, onDone }: { item: ItemOf<"interrupted">; onDone: () => void }) {
  const actions = useActions();
  const viewer = useViewer();
  const state = useSessionState();
  const lastPromptRow = useRow(useRowIds().findLast((id) => id.startsWith("prompt:")) ?? "");
  const mayDrive = viewer !== null && may(viewer.role, "drive");
  const title = state === null || !hasSeveralThreads(state) ? "" : threadTitle(threadOf(state, item.thread));
  const again = lastPromptRow?.kind === "prompt" && lastPromptRow.turnId === item.turnId ? lastPromptRow.text : null;
  const send = (text: string) => {
    actions.sendPrompt(text, "steer", item.thread);
    onDone();
  };
  return (
    <DockCard
      icon={<ServerOff aria-hidden />}
      title={t.interrupted.title}
      meta={title === "" ? undefined : dock.from(title)}
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
