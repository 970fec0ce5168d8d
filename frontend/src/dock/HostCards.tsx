/** Why there is no runner: waiting for one, a start that failed, one that was lost. Says what is safe and what to do. */
import { may } from "@ai-dev-platform/protocol/roles";
import { ServerCrash, ServerOff, Unplug } from "lucide-react";
import { Link } from "wouter";
import { paths } from "../routes.ts";
import { LogButton } from "../session-page/LogButton.tsx";
import { useActions, useSessionState, useViewer } from "../session/use-session.ts";
import { Button, buttonClass } from "../ui/button.tsx";
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
  const isSandbox = state?.hostKind === "sandbox";
  const words = t.host[isSandbox ? "sandbox" : "machine"];
  const Icon = ICONS[item.kind];
  const title =
    item.kind === "host_waiting" ? words.waitingTitle : words[item.kind === "host_failed" ? "failedTitle" : "lostTitle"](item.hostName);
  const offersMachines = item.kind === "host_waiting" && isOwner && !isSandbox;
  return (
    <DockCard
      icon={<Icon aria-hidden />}
      title={title}
      actions={
        mayDrive ? (
          <>
            {offersMachines && (
              <Link href={paths.settings("machines")} className={buttonClass("primary")}>
                {t.host.openMachines}
              </Link>
            )}
            <Button variant={offersMachines ? "secondary" : "primary"} onClick={() => actions.warm()}>
              {t.host.tryAgain}
            </Button>
            {item.kind !== "host_waiting" && <LogButton />}
          </>
        ) : undefined
      }
    >
      <ProblemText problem={item.problem}>
        <HostText item={item} savedSeq={state?.saved?.throughSeq ?? null} waiting={words.waitingBody} />
      </ProblemText>
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
