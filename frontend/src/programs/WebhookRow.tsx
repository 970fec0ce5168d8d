/** One webhook: where it goes, what it tells, how the newest attempt went. */
import type { WebhookBody } from "@ai-dev-platform/protocol/api/webhooks";
import { Button } from "../ui/button.tsx";
import { StateDot, type DotState } from "../ui/state-dot.tsx";
import { RelativeTime } from "../ui/time.tsx";
import { t } from "./messages.ts";
import { attemptWords } from "./webhook-state.ts";

interface WebhookRowProps {
  webhook: WebhookBody;
  isTesting: boolean;
  canTest: boolean;
  onTest: () => void;
  onRemove: () => void;
}

export function WebhookRow({ webhook, isTesting, canTest, onTest, onRemove }: WebhookRowProps) {
  const { url, events, isFailing } = webhook;
  return (
    <li className="flex flex-wrap items-start gap-x-4 gap-y-2 px-4 py-3">
      <div className="min-w-0 flex-1 basis-60">
        <p className="font-mono text-mono font-medium [overflow-wrap:anywhere]">{url}</p>
        <p className="text-label text-fg-2">{t.list(events.map((event) => t.webhooks.events[event]))}</p>
        <Delivery webhook={webhook} />
        {isFailing && <p className="text-label text-bad">{t.webhooks.failing}</p>}
      </div>
      <div className="flex items-center gap-2">
        <Button size="sm" aria-label={t.webhooks.testLabel(url)} disabled={!canTest} onClick={onTest}>
          {isTesting ? t.webhooks.testing : t.webhooks.test}
        </Button>
        <Button size="sm" variant="ghost" aria-label={t.webhooks.removeLabel(url)} onClick={onRemove}>
          {t.webhooks.remove}
        </Button>
      </div>
    </li>
  );
}

function Delivery({ webhook: { lastAttempt, waiting, isFailing } }: { webhook: WebhookBody }) {
  const told = lastAttempt === null ? null : attemptWords(lastAttempt);
  const dot: DotState = told === null ? "idle" : told.isGood ? "done" : isFailing ? "failed" : "needs_you";
  return (
    <p className="flex flex-wrap items-center gap-x-2 text-label text-fg-3">
      <StateDot state={dot} label="" />
      {told === null || lastAttempt === null ? (
        t.webhooks.never
      ) : (
        <>
          <span>{told.isGood ? told.words : t.webhooks.failed(told.words)}</span>
          <RelativeTime at={lastAttempt.at} inWords />
        </>
      )}
      {waiting > 0 && <span className="tabular">· {t.webhooks.waiting(waiting)}</span>}
    </p>
  );
}
