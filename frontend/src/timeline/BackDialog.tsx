/** Going back: what returns is chosen here, and what each choice means is said before anything moves. */
import type { RewindScope } from "@ai-dev-platform/protocol/events";
import type { TimelineEntry } from "@ai-dev-platform/protocol/queries";
import { useState } from "react";
import { failureMessage } from "../session-page/failure.ts";
import { useActions } from "../session/use-session.ts";
import { Button } from "../ui/button.tsx";
import { Choice } from "../ui/choice.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { formatCount } from "../ui/format.ts";
import { toast } from "../ui/toast.ts";
import { t } from "./messages.ts";

const SCOPES: readonly RewindScope[] = ["all", "files"];

export function BackDialog({ entry, onClose }: { entry: TimelineEntry; onClose: () => void }) {
  const actions = useActions();
  const [scope, setScope] = useState<RewindScope>("all");
  const [isGoing, setIsGoing] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  const step = formatCount(entry.throughSeq);
  const go = () => {
    setIsGoing(true);
    setFailure(null);
    actions.rewind(entry.snapshotId, scope).then(
      () => {
        toast(t.dialog.started(step));
        onClose();
      },
      (error: unknown) => {
        setFailure(failureMessage(error));
        setIsGoing(false);
      },
    );
  };
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t.dialog.title(step)}
      description={t.dialog.body}
      footer={
        <>
          <Button onClick={onClose}>{t.dialog.cancel}</Button>
          <Button variant="primary" disabled={isGoing} onClick={go}>
            {isGoing ? t.dialog.going : t.dialog.confirm}
          </Button>
        </>
      }
    >
      <Choice
        label={t.dialog.scope}
        value={scope}
        onChange={setScope}
        options={SCOPES.map((value) => ({ value, ...t.dialog.scopes[value] }))}
      />
      {failure !== null && (
        <p role="alert" className="mt-3 text-ui text-bad">
          {failure}
        </p>
      )}
    </Dialog>
  );
}
