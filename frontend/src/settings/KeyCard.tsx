import type { KeyBody } from "@ai-dev-platform/protocol/http";
import { messageOf } from "../api/client.ts";
import { Button } from "../ui/button.tsx";
import { Callout } from "../ui/callout.tsx";
import { StateDot, type DotState } from "../ui/state-dot.tsx";
import { RelativeTime } from "../ui/time.tsx";
import { toast } from "../ui/toast.ts";
import { t } from "./messages.ts";
import { useKeyActions } from "./use-settings.ts";

const DOTS: Record<KeyBody["status"], DotState> = { working: "done", refused: "failed", no_credit: "needs_you" };

/** The stored key, as far as anybody may see it, with its state. */
export function KeyCard({ value, onReplace }: { value: KeyBody; onReplace: () => void }) {
  const { test } = useKeyActions();
  const runTest = () =>
    test.mutate(value.keyId, {
      onSuccess: ({ status }) => {
        if (status === "working") toast(t.key.testWorks);
      },
    });
  return (
    <div className="rounded-card border border-line bg-surface">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2 border-b border-line px-4 py-2.5">
        <code className="font-mono text-mono">{t.key.masked(value.last4)}</code>
        <span className="flex items-center gap-2">
          <StateDot state={DOTS[value.status]} label="" />
          {t.key.status[value.status]}
        </span>
        <span className="ml-auto flex gap-2">
          <Button size="sm" onClick={runTest} disabled={test.isPending}>
            {test.isPending ? t.key.testing : t.key.test}
          </Button>
          <Button size="sm" onClick={onReplace}>
            {t.key.replace}
          </Button>
        </span>
      </div>
      <dl className="grid grid-cols-[auto_1fr] gap-x-6 gap-y-1 px-4 py-3 text-fg-2 md:grid-cols-[auto_1fr_auto_1fr] [&_dt]:text-fg-3">
        <dt>{t.key.checked}</dt>
        <dd>
          <RelativeTime at={value.checkedAt} inWords />
        </dd>
        <dt>{t.key.added}</dt>
        <dd>
          <RelativeTime at={value.createdAt} inWords />
        </dd>
        <dt>{t.key.lastUsed}</dt>
        <dd>{value.lastUsedAt === null ? t.key.never : <RelativeTime at={value.lastUsedAt} inWords />}</dd>
        <dt>{t.key.fingerprint}</dt>
        <dd className="min-w-0 truncate font-mono text-mono">{value.fingerprint}</dd>
      </dl>
      {value.models.length > 0 && (
        <p className="border-t border-line px-4 py-2 text-label text-fg-3">
          {t.key.models(new Intl.ListFormat(undefined, { type: "unit" }).format(value.models))}
        </p>
      )}
      {value.status !== "working" && <Note text={value.status === "refused" ? t.key.stillRefused : t.key.stillNoCredit} />}
      {test.isError && <Note text={messageOf(test.error)} alert />}
    </div>
  );
}

function Note({ text, alert = false }: { text: string; alert?: boolean }) {
  return (
    <div className="px-3 pb-3">
      <Callout tone="bad" alert={alert}>
        {text}
      </Callout>
    </div>
  );
}
