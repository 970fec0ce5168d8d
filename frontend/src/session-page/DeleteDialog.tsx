import { useLocation } from "wouter";
import { messageOf } from "../api/client.ts";
import { paths } from "../routes.ts";
import { useDeleteSession } from "../sessions/use-sessions.ts";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { formatCount } from "../ui/format.ts";
import { toast } from "../ui/toast.ts";
import { t } from "./late-messages.ts";

/** Deleting cannot be undone: the consequence is named on the button. */
export function DeleteDialog({ sessionId, changedFiles, onClose }: { sessionId: string; changedFiles: number; onClose: () => void }) {
  const [, navigate] = useLocation();
  const remove = useDeleteSession();
  const confirm = () =>
    remove.mutate(sessionId, {
      onSuccess: () => {
        toast(t.remove.done);
        navigate(paths.sessions);
      },
    });
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t.remove.title}
      description={t.remove.body}
      footer={
        <>
          <Button onClick={onClose}>{t.remove.cancel}</Button>
          <Button variant="danger" disabled={remove.isPending} onClick={confirm}>
            {t.remove.confirm(changedFiles)}
          </Button>
        </>
      }
    >
      <div className="space-y-1 text-ui text-fg-2">
        {changedFiles > 0 && <p className="font-medium text-bad">{t.remove.lost(formatCount(changedFiles), changedFiles === 1)}</p>}
        <p>{t.remove.stays}</p>
        {remove.isError && (
          <p role="alert" className="text-bad">
            {messageOf(remove.error)}
          </p>
        )}
      </div>
    </Dialog>
  );
}
