import { may } from "@ai-dev-platform/protocol/roles";
import type { SessionState } from "@ai-dev-platform/protocol/state";
import { useState } from "react";
import { useActions, useViewer } from "../session/use-session.ts";
import { Button } from "../ui/button.tsx";
import { RelativeTime } from "../ui/time.tsx";
import { toast } from "../ui/toast.ts";
import { showFailure } from "./failure.ts";
import { t } from "./messages.ts";

/** An ephemeral session's files go with it: said all the time, with the way to keep them while there are some. */
export function KeepNote({ state }: { state: SessionState }) {
  const actions = useActions();
  const viewer = useViewer();
  const [isBusy, setIsBusy] = useState(false);
  if (state.lifecycle !== "ephemeral" && state.droppedAt === null) return null;
  const keep = () => {
    setIsBusy(true);
    actions
      .setLifecycle("hydrated")
      .then(() => toast(t.keep.done), showFailure)
      .finally(() => setIsBusy(false));
  };
  if (state.droppedAt !== null) {
    return (
      <p className="flex-none py-1 text-center text-label text-fg-2">
        {t.keep.gone} <RelativeTime at={state.droppedAt} inWords />. {t.keep.again}
      </p>
    );
  }
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
