/** Why there is no runner: waiting for one, a start that failed, one that was lost. Says what is safe and what to do. */
import { may } from "@ai-dev-platform/protocol/roles";
import { ServerCrash, ServerOff, Unplug } from "lucide-react";
import { Link } from "wouter";
import { paths } from "../routes.ts";
import { formatSince } from "../machines/machine-state.ts";
import NextStep from "../machines/NextStep.tsx";
import { LogButton } from "../session-page/LogButton.tsx";
import { useGo } from "../session-page/use-go.ts";
import { useActions, useSessionState, useViewer } from "../session/use-session.ts";
import { Button, buttonClass } from "../ui/button.tsx";
import { useNow } from "../ui/time.tsx";
import { DockCard } from "./DockCard.tsx";
import type { DockItem } from "./dock-items.ts";
import { t } from "./notice-messages.ts";
import { ProblemText } from "./ProblemText.tsx";

export type HostItem = Extract<DockItem, { kind: "host_waiting" | "host_failed" | "host_lost" }>;

const ICONS = { host_waiting: Unplug, host_failed: ServerCrash, host_lost: ServerOff } as const;

export function HostCard({ item }: { item: HostItem }) {
  const actions = useActions();
  const viewer = useViewer();
  const state = useSessionState();
  const mayDrive = viewer !== null && may(viewer.role, "drive");
  const isOwner = viewer !== null && may(viewer.role, "own");
  const { isGoing, go } = useGo();
  const now = useNow("minute");
  const hostKind = state?.hostKind ?? "machine";
  const words = t.host[hostKind];
  const offlineSince = state?.host.offlineSince;
  const Icon = ICONS[item.kind];
  const waitingTitle =
    offlineSince === undefined || item.hostName === ""
      ? words.waitingTitle
      : t.host.machine.offlineTitle(item.hostName, formatSince(offlineSince, now));
  const title =
    item.kind === "host_waiting" ? waitingTitle : words[item.kind === "host_failed" ? "failedTitle" : "lostTitle"](item.hostName);
  const isWaitingForMachine = item.kind === "host_waiting" && isOwner && hostKind === "machine";
  return (
    <DockCard
      icon={<Icon aria-hidden />}
      title={title}
      actions={
        mayDrive ? (
          <>
            {isWaitingForMachine && (
              <Button variant="primary" disabled={isGoing} onClick={() => go({ host: "direct", machineId: null })}>
                {t.host.answerDirectly}
              </Button>
            )}
            <Button variant={isWaitingForMachine ? "secondary" : "primary"} onClick={() => actions.warm()}>
              {t.host.tryAgain}
            </Button>
            {isWaitingForMachine && (
              <Link href={paths.settings("machines")} className={buttonClass()}>
                {t.host.openMachines}
              </Link>
            )}
            {item.kind !== "host_waiting" && <LogButton />}
          </>
        ) : undefined
      }
    >
      <ProblemText problem={item.problem}>
        <HostText item={item} savedSeq={state?.saved?.throughSeq ?? null} waiting={words.waitingBody} />
      </ProblemText>
      {item.problem !== null && isOwner && <NextStep code={item.problem.code} />}
      {isWaitingForMachine && <p className="mt-1 text-ui text-fg-2">{t.host.answerDirectlyBody}</p>}
    </DockCard>
  );
}

function HostText({ item, savedSeq, waiting }: { item: HostItem; savedSeq: number | null; waiting: string }) {
  switch (item.kind) {
    case "host_waiting":
      return item.problem === null ? waiting : null;
    case "host_failed":
      return t.host.failedBody;
    case "host_lost":
      return `${item.problem === null ? t.host.lostBody : ""} ${savedSeq === null ? t.host.notSaved : t.host.savedThrough(savedSeq)}`;
  }
}
