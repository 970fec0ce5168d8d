/** Where the storage goes, largest first, with the way to make room. */
import type { StorageBody } from "@ai-dev-platform/protocol/http";
import { useState } from "react";
import { Link } from "wouter";
import { messageOf } from "../api/client.ts";
import { paths } from "../routes.ts";
import { useDeleteSession } from "../sessions/use-sessions.ts";
import { Button } from "../ui/button.tsx";
import { Callout } from "../ui/callout.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { formatBytes } from "../ui/format.ts";
import { Meter, NEARLY_FULL } from "../ui/meter.tsx";
import { RelativeTime } from "../ui/time.tsx";
import { toast } from "../ui/toast.ts";
import { Loaded } from "./Loaded.tsx";
import { t } from "./storage-messages.ts";
import { reloadStorage, useStorage } from "./use-storage.ts";

type StoredSession = StorageBody["sessions"][number];

export function StorageTab() {
  const storage = useStorage();
  const [leaving, setLeaving] = useState<StoredSession | null>(null);
  return (
    <div className="flex flex-col gap-5">
      <p className="text-fg-2">{t.about}</p>
      <Loaded query={storage}>
        {(body) => (
          <>
            <Used {...body} />
            <Sessions sessions={body.sessions} onRemove={setLeaving} />
          </>
        )}
      </Loaded>
      {leaving !== null && <RemoveDialog session={leaving} onClose={() => setLeaving(null)} />}
    </div>
  );
}

function Used({ usedBytes, quotaBytes }: StorageBody) {
  // No quota is 0: a deployment without a limit.
  if (quotaBytes <= 0) return <p className="tabular font-medium">{t.usedNoQuota(formatBytes(usedBytes))}</p>;
  const share = usedBytes / quotaBytes;
  const isFull = share >= 1;
  const words = t.used(formatBytes(usedBytes), formatBytes(quotaBytes));
  return (
    <div>
      <p className="tabular flex flex-wrap justify-between gap-x-4">
        <span className="font-medium">{words}</span>
        <span className="text-fg-2">{t.left(formatBytes(Math.max(0, quotaBytes - usedBytes)))}</span>
      </p>
      <Meter label={t.meter} used={usedBytes} allowed={quotaBytes} words={words} />
      {share >= NEARLY_FULL && (
        <div className="mt-3">
          <Callout tone={isFull ? "bad" : "warn"}>{isFull ? t.full : t.nearlyFull}</Callout>
        </div>
      )}
    </div>
  );
}

function Sessions({ sessions, onRemove }: { sessions: readonly StoredSession[]; onRemove: (session: StoredSession) => void }) {
  if (sessions.length === 0) return <p className="rounded-card border border-line px-4 py-3 text-fg-3">{t.none}</p>;
  return (
    <section aria-label={t.list}>
      <h3 className="mb-1 flex justify-between gap-4 text-label font-medium text-fg-3">
        <span>{t.list}</span>
        <span className="tabular font-normal">{t.sessions(sessions.length)}</span>
      </h3>
      <ul className="divide-y divide-line rounded-card border border-line">
        {sessions.map((session) => (
          <li key={session.sessionId} className="flex items-center gap-3 py-2 pr-2 pl-4">
            <div className="min-w-0 flex-1">
              <Link
                href={paths.session(session.sessionId)}
                className="block truncate rounded-control py-0.5 font-medium underline-offset-2 hover:underline"
              >
                {session.title}
              </Link>
              <p className="truncate text-label text-fg-3">
                {session.projectName} ·{" "}
                {session.savedAt === null ? (
                  t.neverSaved
                ) : (
                  <>
                    {t.saved} <RelativeTime at={session.savedAt} inWords />
                  </>
                )}
              </p>
            </div>
            <span className="tabular flex-none text-fg-2">{formatBytes(session.storedBytes)}</span>
            <Button size="sm" variant="ghost" aria-label={t.removeLabel(session.title)} onClick={() => onRemove(session)}>
              {t.remove}
            </Button>
          </li>
        ))}
      </ul>
    </section>
  );
}

function RemoveDialog({ session, onClose }: { session: StoredSession; onClose: () => void }) {
  const remove = useDeleteSession();
  const confirm = () =>
    remove.mutate(session.sessionId, {
      onSuccess: () => {
        toast(t.removed);
        onClose();
        void reloadStorage();
      },
    });
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t.removeTitle}
      description={t.removeText(session.title, formatBytes(session.storedBytes))}
      footer={
        <>
          <Button onClick={onClose}>{t.cancel}</Button>
          <Button variant="danger" disabled={remove.isPending} onClick={confirm}>
            {t.removeConfirm}
          </Button>
        </>
      }
    >
      {remove.isError && (
        <Callout tone="bad" alert>
          {messageOf(remove.error)}
        </Callout>
      )}
    </Dialog>
  );
}
