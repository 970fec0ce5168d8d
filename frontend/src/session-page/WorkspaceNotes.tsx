/** Lines under the composer about the files themselves: that they go, that they went, that some are still on their way. */
import { may } from "@ai-dev-platform/protocol/roles";
import type { SessionState } from "@ai-dev-platform/protocol/state";
import { LoaderCircle } from "lucide-react";
import { useState } from "react";
import { useActions, useProgress, useViewer } from "../session/use-session.ts";
import { Button } from "../ui/button.tsx";
import { RelativeTime } from "../ui/time.tsx";
import { toast } from "../ui/toast.ts";
import { showFailure } from "./failure.ts";
import { t } from "./late-messages.ts";

export default function WorkspaceNotes({ state }: { state: SessionState }) {
  const progress = useProgress();
  return (
    <>
      {state.host.state === "ready" && progress?.step === "dependencies" && <DependencyNote detail={progress.detail} />}
      {state.droppedAt !== null ? <GoneNote at={state.droppedAt} /> : state.lifecycle === "ephemeral" && <KeepNote />}
    </>
  );
}

/** Installed dependencies return in the background: one can go on meanwhile. */
function DependencyNote({ detail }: { detail: string }) {
  return (
    <p className="tabular flex min-h-7 flex-none items-center justify-center gap-1.5 text-label text-fg-2">
      <LoaderCircle aria-hidden className="size-3.5 flex-none animate-spin stroke-[1.75] text-accent" />
      {detail === "" ? t.dependencies.coming : t.dependencies.comingWith(detail)}
    </p>
  );
}

function GoneNote({ at }: { at: number }) {
  return (
    <p className="flex-none py-1 text-center text-label text-fg-2">
      {t.keep.gone} <RelativeTime at={at} inWords />. {t.keep.again}
    </p>
  );
}

/** An ephemeral session's files go with it: said all the time, with the way to keep them while there are some. */
function KeepNote() {
  const actions = useActions();
  const viewer = useViewer();
  const [isBusy, setIsBusy] = useState(false);
  const keep = () => {
    setIsBusy(true);
    actions
      .setLifecycle("hydrated")
      .then(() => toast(t.keep.done), showFailure)
      .finally(() => setIsBusy(false));
  };
  return (
    <p className="flex min-h-7 flex-none items-center justify-center gap-1 text-label text-fg-2">
      {t.keep.text}
      {viewer !== null && may(viewer.role, "own") && (
        <Button size="sm" variant="ghost" disabled={isBusy} onClick={keep}>
          {t.keep.action}
        </Button>
      )}
    </p>
  );
}
