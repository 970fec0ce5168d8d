/** Lines above the composer about where the session runs, each with the one thing to do. */
import { may } from "@ai-dev-platform/protocol/roles";
import type { SessionState } from "@ai-dev-platform/protocol/state";
import { Cloud, MessageCircle, Monitor, ShieldAlert, Unplug } from "lucide-react";
import type { ReactNode } from "react";
import { Link } from "wouter";
import { formatSince } from "../machines/machine-state.ts";
import { paths } from "../routes.ts";
import { openTurns } from "../session/threads.ts";
import { useViewer } from "../session/use-session.ts";
import { useBrowserKey } from "../signing/use-browser-key.ts";
import { Button, buttonClass } from "../ui/button.tsx";
import { useNow } from "../ui/time.tsx";
import { placeNote, type PlaceNote } from "./place-facts.ts";
import { t } from "./place-messages.ts";
import { useGo } from "./use-go.ts";
import { usePlaceAround } from "./use-place-around.ts";

interface NoteProps {
  icon: ReactNode;
  tone: "plain" | "warn";
  children: ReactNode;
  action?: ReactNode;
}

const LOOKS = { plain: "border-line bg-sunken text-fg-2", warn: "border-warn-line bg-warn-soft text-fg" } as const;

function Note({ icon, tone, children, action }: NoteProps) {
  return (
    <div
      className={`flex flex-none flex-wrap items-center gap-x-2.5 gap-y-1.5 rounded-dock border py-1.5 pr-2 pl-3.5 text-ui ${LOOKS[tone]} [&>svg]:size-4 [&>svg]:flex-none [&>svg]:stroke-[1.75]`}
    >
      {icon}
      <output className="min-w-48 flex-1 py-0.5">{children}</output>
      {action}
    </div>
  );
}

export default function PlaceNotes({ state }: { state: SessionState }) {
  const around = usePlaceAround();
  const note = placeNote(state, around);
  return (
    <>
      {note?.kind === "away" && <AwayNote note={note} mayMove={around.isOwner} />}
      {note?.kind === "direct" && <DirectNote note={note} mayMove={around.isOwner} isBusy={openTurns(state).length > 0} />}
      {state.needsSignature && <SigningNote isOwner={around.isOwner} />}
    </>
  );
}

/** Said before anything is sent: the machine would not do it. */
function SigningNote({ isOwner }: { isOwner: boolean }) {
  const viewer = useViewer();
  const key = useBrowserKey(isOwner ? (viewer?.userId ?? undefined) : undefined);
  if (viewer === null || !may(viewer.role, "drive")) return null;
  const icon = <ShieldAlert aria-hidden className="text-warn" />;
  if (!isOwner) {
    return (
      <Note icon={icon} tone="plain">
        {t.signed.others}
      </Note>
    );
  }
  if (key.data !== null) return null;
  return (
    <Note
      icon={icon}
      tone="warn"
      action={
        <Link href={paths.settings("machines")} className={buttonClass("secondary", "sm")}>
          {t.signed.setUp}
        </Link>
      }
    >
      {t.signed.noKey}
    </Note>
  );
}

function AwayNote({ note, mayMove }: { note: Extract<PlaceNote, { kind: "away" }>; mayMove: boolean }) {
  const { isGoing, go } = useGo();
  const now = useNow("minute");
  return (
    <Note
      icon={<Unplug aria-hidden className="text-warn" />}
      tone="warn"
      action={
        mayMove && (
          <Button size="sm" title={t.answerDirectlyHint} disabled={isGoing} onClick={() => go({ host: "direct", machineId: null })}>
            {isGoing ? t.going : t.answerDirectly}
          </Button>
        )
      }
    >
      {t.away(note.name, formatSince(note.since, now))}
    </Note>
  );
}

interface DirectNoteProps {
  note: Extract<PlaceNote, { kind: "direct" }>;
  mayMove: boolean;
  isBusy: boolean;
}

function DirectNote({ note: { readsFiles, way, isBack }, mayMove, isBusy }: DirectNoteProps) {
  const { isGoing, go } = useGo();
  const what = readsFiles ? t.direct.reads : t.direct.cannotTouch;
  const where = way === null ? t.direct.nothing : (isBack ? t.direct.back : t.direct.there)(way.name);
  const Icon = way?.host === "sandbox" ? Cloud : Monitor;
  return (
    <Note
      icon={<MessageCircle aria-hidden className="text-accent" />}
      tone="plain"
      action={
        mayMove &&
        way !== null && (
          <Button
            size="sm"
            variant={isBack ? "primary" : "secondary"}
            disabled={isGoing || isBusy}
            title={isBusy ? t.direct.afterTurn : undefined}
            onClick={() => go(way)}
          >
            <Icon aria-hidden className="size-3.5 stroke-[1.75]" />
            {isGoing ? t.going : isBack ? t.direct.goBack : t.direct.goOn(way.name)}
          </Button>
        )
      }
    >
      {mayMove ? `${where} ${what}` : what}
    </Note>
  );
}
