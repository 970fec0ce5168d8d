/** Keys of providers beside Anthropic: one for each that the operator offers. */
import type { Provider } from "@ai-dev-platform/protocol/api/providers";
import type { KeyBody } from "@ai-dev-platform/protocol/http";
import { useRef, useState } from "react";
import { messageOf } from "../api/client.ts";
import { Loaded } from "../settings/Loaded.tsx";
import { useKeyActions, useKeys } from "../settings/use-settings.ts";
import { Button } from "../ui/button.tsx";
import { Callout } from "../ui/callout.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { StateDot, type DotState } from "../ui/state-dot.tsx";
import { RelativeTime } from "../ui/time.tsx";
import { toast } from "../ui/toast.ts";
import { useFocusAfter } from "../ui/use-focus-after.ts";
import { t } from "./messages.ts";
import { problemOf } from "../settings/problem-of.ts";
import { ProviderKeyDialog } from "./ProviderKeyDialog.tsx";

export type OtherProvider = Exclude<Provider, "anthropic">;

const DOTS: Record<KeyBody["status"], DotState> = { working: "done", refused: "failed", no_credit: "needs_you" };
type Step = { at: "list" } | { at: "form"; provider: OtherProvider } | { at: "remove"; key: KeyBody };

export default function OtherProviders({ providers }: { providers: readonly Provider[] }) {
  const keys = useKeys();
  const [step, setStep] = useState<Step>({ at: "list" });
  const section = useRef<HTMLElement>(null);
  const askForFocus = useFocusAfter(step.at !== "list", section);
  const others = providers.filter((provider) => provider !== "anthropic");
  const close = () => setStep({ at: "list" });
  const keyOf = (provider: Provider) => keys.data?.find((key) => key.provider === provider && key.isActive) ?? null;
  return (
    <section ref={section} tabIndex={-1} aria-labelledby="other-providers" className="border-t border-line pt-4 outline-none">
      <h3 id="other-providers" className="mb-1 font-semibold">
        {t.title}
      </h3>
      <p className="mb-3 text-fg-2">{t.about}</p>
      <Loaded query={keys}>
        {() => (
          <ul className="divide-y divide-line rounded-card border border-line">
            {others.map((provider) => (
              <ProviderRow
                key={provider}
                provider={provider}
                stored={keyOf(provider)}
                onAdd={() => setStep({ at: "form", provider })}
                onRemove={(key) => setStep({ at: "remove", key })}
              />
            ))}
          </ul>
        )}
      </Loaded>
      {step.at === "form" && <ProviderKeyDialog provider={step.provider} stored={keyOf(step.provider)} onClose={close} />}
      {step.at === "remove" && (
        <RemoveDialog
          stored={step.key}
          onClose={close}
          onRemoved={() => {
            askForFocus();
            close();
          }}
        />
      )}
    </section>
  );
}

interface ProviderRowProps {
  provider: OtherProvider;
  stored: KeyBody | null;
  onAdd: () => void;
  onRemove: (key: KeyBody) => void;
}

function ProviderRow({ provider, stored, onAdd, onRemove }: ProviderRowProps) {
  const { test } = useKeyActions();
  const name = t.nameOf(provider, stored);
  const runTest = (key: KeyBody) =>
    test.mutate(key.keyId, { onSuccess: ({ status }) => (status === "working" ? toast(t.testWorks(name)) : undefined) });
  return (
    <li className="flex flex-wrap items-start gap-x-4 gap-y-2 px-4 py-3">
      <div className="min-w-0 flex-1 basis-60">
        <p className="flex flex-wrap items-baseline gap-x-2">
          <span className="font-medium">{stored === null ? t.names[provider] : name}</span>
          {stored !== null && stored.last4 !== "" && <span className="font-mono text-label text-fg-3">{t.masked(stored.last4)}</span>}
        </p>
        {stored === null ? <p className="text-label text-fg-3">{t.none[provider]}</p> : <Facts stored={stored} />}
        {test.isError && (
          <p role="alert" className="text-label text-bad">
            {problemOf(test.error)}
          </p>
        )}
      </div>
      <div className="flex items-center gap-2">
        {stored === null ? (
          <Button size="sm" aria-label={t.addLabel(name)} onClick={onAdd}>
            {t.add}
          </Button>
        ) : (
          <>
            <Button size="sm" aria-label={t.testLabel(name)} disabled={test.isPending} onClick={() => runTest(stored)}>
              {test.isPending ? t.testing : t.test}
            </Button>
            <Button size="sm" aria-label={t.replaceLabel(name)} onClick={onAdd}>
              {t.replace}
            </Button>
            <Button size="sm" variant="ghost" aria-label={t.removeLabel(name)} onClick={() => onRemove(stored)}>
              {t.remove}
            </Button>
          </>
        )}
      </div>
    </li>
  );
}

function Facts({ stored: { status, baseUrl, checkedAt, lastUsedAt, models } }: { stored: KeyBody }) {
  return (
    <>
      {baseUrl !== null && <p className="font-mono text-label [overflow-wrap:anywhere] text-fg-2">{baseUrl}</p>}
      <p className="flex flex-wrap items-center gap-x-2 text-label text-fg-2">
        <StateDot state={DOTS[status]} label="" />
        {t.status(status)}
      </p>
      <p className="text-label text-fg-3">
        {t.checked} <RelativeTime at={checkedAt} inWords /> ·{" "}
        {lastUsedAt === null ? (
          t.unused
        ) : (
          <>
            {t.used} <RelativeTime at={lastUsedAt} inWords />
          </>
        )}
        {models.length > 0 && ` · ${t.models(models.length)}`}
      </p>
    </>
  );
}

function RemoveDialog({ stored, onClose, onRemoved }: { stored: KeyBody; onClose: () => void; onRemoved: () => void }) {
  const { remove } = useKeyActions();
  const name = t.nameOf(stored.provider, stored);
  const confirm = () =>
    remove.mutate(stored.keyId, {
      onSuccess: () => {
        toast(t.removed(name));
        onRemoved();
      },
    });
  return (
    <Dialog
      open
      onOpenChange={onClose}
      title={t.removeTitle(name)}
      description={t.removeText}
      footer={
        <>
          <Button onClick={onClose}>{t.keep}</Button>
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
