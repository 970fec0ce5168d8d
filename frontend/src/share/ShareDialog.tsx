/** Making, listing and revoking a session's links. */
import { useState, type FormEvent } from "react";
import type { ShareBody, ShareCreatedBody } from "@ai-dev-platform/protocol/http";
import { messageOf } from "../api/client.ts";
import { shareLink } from "../routes.ts";
import { Button } from "../ui/button.tsx";
import { Callout } from "../ui/callout.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { formatDay } from "../ui/format.ts";
import { Select } from "../ui/select.tsx";
import { FIELD_CLASS, TextField } from "../ui/text-field.tsx";
import { RelativeTime, useNow } from "../ui/time.tsx";
import { toast } from "../ui/toast.ts";
import { t } from "./messages.ts";
import { liveShares, useShareActions, useShares, type SharedRole } from "./use-shares.ts";

export interface ShareDialogProps {
  sessionId: string;
  open: boolean;
  onOpenChange: (open: boolean) => void;
}

export function ShareDialog({ sessionId, open, onOpenChange }: ShareDialogProps) {
  return (
    <Dialog open={open} onOpenChange={onOpenChange} title={t.dialogTitle} description={t.dialogText}>
      <ShareContent sessionId={sessionId} />
    </Dialog>
  );
}

function ShareContent({ sessionId }: { sessionId: string }) {
  const [created, setCreated] = useState<ShareCreatedBody | null>(null);
  return (
    <div className="flex flex-col gap-4">
      <CreateLink sessionId={sessionId} onCreated={setCreated} />
      {created !== null && <NewLink key={created.shareId} created={created} />}
      <LiveLinks sessionId={sessionId} onRevoked={(shareId) => setCreated((shown) => (shown?.shareId === shareId ? null : shown))} />
    </div>
  );
}

/** A commenter's proposals have no place in a session yet, so that role is not offered. */
const ROLES: readonly SharedRole[] = ["viewer", "approver", "driver"];
const EXPIRY_DAYS = [1, 7, 30, 90] as const;
const DEFAULT_EXPIRY_DAYS = 7;

function CreateLink({ sessionId, onCreated }: { sessionId: string; onCreated: (created: ShareCreatedBody) => void }) {
  const [role, setRole] = useState<SharedRole>("viewer");
  const [expiresInDays, setExpiresInDays] = useState(DEFAULT_EXPIRY_DAYS);
  const [label, setLabel] = useState("");
  const { create } = useShareActions(sessionId);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate(
      { role, label: label.trim(), expiresInDays },
      {
        onSuccess: (share) => {
          onCreated(share);
          setLabel("");
          create.reset();
        },
      },
    );
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-3">
      <div className="grid gap-3 md:grid-cols-[1fr_120px]">
        <Select
          label={t.role}
          value={role}
          onChange={(value) => setRole(ROLES.find((known) => known === value) ?? "viewer")}
          options={ROLES.map((value) => ({ value, label: `${t.roleNames[value]}: ${t.roles[value]}` }))}
        />
        <Select
          label={t.expiry}
          value={String(expiresInDays)}
          onChange={(value) => setExpiresInDays(Number(value))}
          options={EXPIRY_DAYS.map((days) => ({ value: String(days), label: t.days(days) }))}
        />
      </div>
      <TextField
        label={t.label}
        hint={t.labelHint}
        value={label}
        maxLength={100}
        autoComplete="off"
        onChange={(event) => setLabel(event.target.value)}
      />
      {(role === "driver" || role === "approver") && <Callout tone="warn">{t.roleWarning}</Callout>}
      {create.isError && (
        <Callout tone="bad" alert>
          {messageOf(create.error)}
        </Callout>
      )}
      <Button type="submit" variant="primary" className="self-start" disabled={create.isPending}>
        {create.isPending ? t.creating : t.create}
      </Button>
    </form>
  );
}

function NewLink({ created }: { created: ShareCreatedBody }) {
  const [copied, setCopied] = useState<"no" | "yes" | "failed">("no");
  const link = shareLink(location.origin, created.shareId, created.secret);
  const copy = () => {
    navigator.clipboard.writeText(link).then(
      () => setCopied("yes"),
      () => setCopied("failed"),
    );
  };
  return (
    <div className="rounded-card border border-line bg-sunken p-3">
      <div className="flex gap-2">
        <input
          readOnly
          aria-label={t.newLink}
          value={link}
          onFocus={(event) => event.target.select()}
          className={`${FIELD_CLASS} h-8 min-w-0 flex-1 font-mono pointer-coarse:h-11`}
        />
        <Button variant="primary" onClick={copy}>
          {copied === "yes" ? t.copied : t.copy}
        </Button>
      </div>
      <output className="mt-1 block text-label text-fg-2">{copied === "failed" ? t.copyFailed : t.once}</output>
    </div>
  );
}

function LiveLinks({ sessionId, onRevoked }: { sessionId: string; onRevoked: (shareId: string) => void }) {
  const shares = useShares(sessionId, true);
  const now = useNow("minute");
  const { revoke } = useShareActions(sessionId);
  const live = liveShares(shares.data ?? [], now);
  const cutOff = (shareId: string) =>
    revoke.mutate(shareId, {
      onSuccess: () => {
        onRevoked(shareId);
        toast(t.revoked);
      },
    });
  return (
    <section aria-label={t.liveLinks}>
      <h3 className="mb-1 text-label font-medium text-fg-3">{t.liveLinks}</h3>
      {shares.isError && <p className="text-bad">{t.loadFailed}</p>}
      {shares.isSuccess && live.length === 0 && <p className="text-fg-3">{t.none}</p>}
      <ul className="divide-y divide-line">
        {live.map((share) => (
          <LinkRow key={share.shareId} share={share} now={now} isBusy={revoke.isPending} onRevoke={() => cutOff(share.shareId)} />
        ))}
      </ul>
      {revoke.isError && (
        <p role="alert" className="mt-1 text-label text-bad">
          {messageOf(revoke.error)}
        </p>
      )}
    </section>
  );
}

function LinkRow({ share, now, isBusy, onRevoke }: { share: ShareBody; now: number; isBusy: boolean; onRevoke: () => void }) {
  const name = share.label === "" ? t.noLabel : share.label;
  return (
    <li className="flex items-center gap-3 py-2">
      <div className="min-w-0 flex-1">
        <p className="truncate">
          <span className="font-medium">{name}</span> <span className="text-fg-3">· {t.roleNames[share.role]}</span>
        </p>
        <p className="text-label text-fg-3">
          {t.expires(formatDay(share.expiresAt, now))} ·{" "}
          {share.lastUsedAt === null ? (
            t.unused
          ) : (
            <>
              {t.used} <RelativeTime at={share.lastUsedAt} inWords />
            </>
          )}
        </p>
      </div>
      <Button size="sm" variant="danger" aria-label={t.revokeLabel(name)} disabled={isBusy} onClick={onRevoke}>
        {t.revoke}
      </Button>
    </li>
  );
}
