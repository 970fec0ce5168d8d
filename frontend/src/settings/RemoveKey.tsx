import { useState } from "react";
import { messageOf } from "../api/client.ts";
import { useSessions } from "../sessions/use-sessions.ts";
import { Button } from "../ui/button.tsx";
import { Callout } from "../ui/callout.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { t } from "./messages.ts";
import { useKeyActions } from "./use-settings.ts";

/** Removing the key, with what follows from it said first. */
export function RemoveKey({ keyId }: { keyId: string }) {
  const [isAsking, setIsAsking] = useState(false);
  const { remove } = useKeyActions();
  const sessions = useSessions();
  const affected = (sessions.data ?? []).filter(
    ({ state, modelSource }) => modelSource === "key" && (state === "running" || state === "needs_you"),
  ).length;
  return (
    <div className="border-t border-line pt-4">
      <Button variant="danger" onClick={() => setIsAsking(true)}>
        {t.key.remove}
      </Button>
      <Dialog
        open={isAsking}
        onOpenChange={setIsAsking}
        title={t.key.removeTitle}
        footer={
          <>
            <Button onClick={() => setIsAsking(false)}>{t.cancel}</Button>
            <Button
              variant="danger"
              disabled={remove.isPending}
              onClick={() => remove.mutate(keyId, { onSuccess: () => setIsAsking(false) })}
            >
              {t.key.removeConfirm}
            </Button>
          </>
        }
      >
        <p className="text-fg-2">
          {t.key.removeText} {t.key.removeSessions(affected)}
        </p>
        {remove.isError && (
          <div className="mt-3">
            <Callout tone="bad" alert>
              {messageOf(remove.error)}
            </Callout>
          </div>
        )}
      </Dialog>
    </div>
  );
}
