/** One token: what it may do, how long, and what it has spent. The secret itself is nowhere. */
import type { ApiTokenBody } from "@ai-dev-platform/protocol/api/access";
import { Button } from "../ui/button.tsx";
import { classes } from "../ui/classes.ts";
import { formatDay, formatUsd } from "../ui/format.ts";
import { Meter } from "../ui/meter.tsx";
import { RelativeTime, useNow } from "../ui/time.tsx";
import { t } from "./messages.ts";

export function TokenRow({ token, onRevoke }: { token: ApiTokenBody; onRevoke: () => void }) {
  const now = useNow("minute");
  const { name, last4, scopes, createdAt, expiresAt, lastUsedAt, budgetUsd, spentUsd } = token;
  const isExpired = expiresAt !== null && expiresAt <= now;
  const isSpent = budgetUsd !== null && spentUsd >= budgetUsd;
  const state = isExpired ? t.tokens.isExpired : isSpent ? t.tokens.isSpent : null;
  const day = expiresAt === null ? "" : formatDay(expiresAt, now);
  return (
    <li className="flex flex-wrap items-start gap-x-4 gap-y-2 px-4 py-3">
      <div className="min-w-0 flex-1 basis-60">
        <p className="flex flex-wrap items-baseline gap-x-2">
          <span className={classes("font-medium [overflow-wrap:anywhere]", isExpired && "text-fg-2")}>{name}</span>
          <span className="font-mono text-label text-fg-3">{t.tokens.masked(last4)}</span>
          {state !== null && <span className="text-label font-medium text-warn">{state}</span>}
        </p>
        <p className="text-label text-fg-2">{t.list(scopes.map((scope) => t.scopes[scope].name))}</p>
        <p className="text-label text-fg-3">
          {t.tokens.made} <RelativeTime at={createdAt} inWords /> ·{" "}
          {expiresAt === null ? t.tokens.noExpiry : isExpired ? t.tokens.expired(day) : t.tokens.expires(day)} ·{" "}
          {lastUsedAt === null ? (
            t.tokens.unused
          ) : (
            <>
              {t.tokens.used} <RelativeTime at={lastUsedAt} inWords />
            </>
          )}
        </p>
      </div>
      <div className="flex flex-1 items-center justify-between gap-4 md:flex-none">
        <Spent name={name} budgetUsd={budgetUsd} spentUsd={spentUsd} />
        <Button size="sm" variant="ghost" aria-label={t.tokens.revokeLabel(name)} onClick={onRevoke}>
          {t.tokens.revoke}
        </Button>
      </div>
    </li>
  );
}

function Spent({ name, budgetUsd, spentUsd }: Pick<ApiTokenBody, "name" | "budgetUsd" | "spentUsd">) {
  if (budgetUsd === null) return <span className="tabular text-label text-fg-2">{t.tokens.spent(formatUsd(spentUsd))}</span>;
  const words = t.tokens.spentOf(formatUsd(spentUsd), formatUsd(budgetUsd));
  return (
    <div>
      <p className="tabular text-label text-fg-2">{words}</p>
      <Meter label={t.tokens.meter(name)} used={spentUsd} allowed={budgetUsd} words={words} />
    </div>
  );
}
