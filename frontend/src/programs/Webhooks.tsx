/** Webhooks: the list with how the newest delivery went, a new one with its secret once, testing, and removing. */
import type { WebhookBody, WebhookCreatedBody } from "@ai-dev-platform/protocol/api/webhooks";
import { useEffect, useRef, useState } from "react";
import { messageOf } from "../api/client.ts";
import { Loaded } from "../settings/Loaded.tsx";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { toast } from "../ui/toast.ts";
import { useFocusAfter } from "../ui/use-focus-after.ts";
import { t } from "./messages.ts";
import { Failure, SecretOnce, SecretPart } from "./SecretOnce.tsx";
import { CodeBox } from "./Snippet.tsx";
import { VERIFY_SNIPPET } from "./snippets.ts";
import { Head } from "./Tokens.tsx";
import { useWebhookActions, useWebhookList } from "./use-programs.ts";
import { EMPTY_WEBHOOK } from "./webhook-form.ts";
import { attemptWords } from "./webhook-state.ts";
import { WebhookDialog } from "./WebhookDialog.tsx";
import { WebhookRow } from "./WebhookRow.tsx";

type Step = { at: "list" | "form" } | { at: "secret"; created: WebhookCreatedBody } | { at: "remove"; webhook: WebhookBody };

/** After this long a test's result is no longer waited for; the list shows it when it comes. */
const TEST_PATIENCE_MS = 15_000;

/** A test that was sent: its result is the first attempt that is not the one from before. */
function useTest() {
  const { test } = useWebhookActions();
  const [sent, setSent] = useState<{ webhookId: string; attemptBefore: number | null } | null>(null);
  const list = useWebhookList(sent !== null);
  const webhook = list.data?.find(({ webhookId }) => webhookId === sent?.webhookId);
  const attempt = webhook?.lastAttempt ?? null;
  const isOver = sent !== null && attempt !== null && attempt.at !== sent.attemptBefore;
  const isGone = list.isSuccess && webhook === undefined;
  useEffect(() => {
    if (sent === null) return;
    // Removed meanwhile.
    if (isGone) return setSent(null);
    if (isOver && webhook !== undefined && attempt !== null) {
      const { isGood, words } = attemptWords(attempt);
      toast(isGood ? t.webhooks.testWorks(webhook.url) : t.webhooks.testFailed(webhook.url, words));
      setSent(null);
      return;
    }
    const timer = setTimeout(() => {
      toast(t.webhooks.testLate);
      setSent(null);
    }, TEST_PATIENCE_MS);
    return () => clearTimeout(timer);
    // oxlint-disable-next-line react-hooks/exhaustive-deps -- begun once for a test, over once it has a result
  }, [sent, isOver, isGone]);
  const send = ({ webhookId, lastAttempt }: WebhookBody) => {
    setSent({ webhookId, attemptBefore: lastAttempt?.at ?? null });
    test.mutate(webhookId, {
      onError: (error) => {
        setSent(null);
        toast(messageOf(error));
      },
    });
  };
  return { list, send, testing: sent?.webhookId ?? null };
}

export function Webhooks() {
  const { list, send, testing } = useTest();
  const { create, remove } = useWebhookActions();
  const [step, setStep] = useState<Step>({ at: "list" });
  const [fields, setFields] = useState(EMPTY_WEBHOOK);
  const opener = useRef<HTMLButtonElement>(null);
  const askForFocus = useFocusAfter(step.at !== "list", opener);
  const close = () => {
    setStep({ at: "list" });
    create.reset();
    remove.reset();
  };
  const closeAndReturn = () => {
    askForFocus();
    close();
  };
  const make = (webhook: Parameters<typeof create.mutate>[0]) =>
    create.mutate(webhook, {
      onSuccess: (created) => {
        setStep({ at: "secret", created });
        setFields(EMPTY_WEBHOOK);
        create.reset();
      },
    });
  const takeAway = (webhookId: string) =>
    remove.mutate(webhookId, {
      onSuccess: () => {
        toast(t.webhooks.removed);
        closeAndReturn();
      },
    });
  return (
    <section aria-label={t.webhooks.title} className="border-t border-line pt-4">
      <Head title={t.webhooks.title} action={t.webhooks.open} onAction={() => setStep({ at: "form" })} ref={opener} />
      <p className="mb-3 text-fg-2">{t.webhooks.about}</p>
      <Loaded query={list}>
        {(webhooks) =>
          webhooks.length === 0 ? (
            <p className="rounded-card border border-line px-4 py-3 text-fg-3">{t.webhooks.none}</p>
          ) : (
            <ul className="divide-y divide-line rounded-card border border-line">
              {webhooks.map((webhook) => (
                <WebhookRow
                  key={webhook.webhookId}
                  webhook={webhook}
                  isTesting={testing === webhook.webhookId}
                  canTest={testing === null}
                  onTest={() => send(webhook)}
                  onRemove={() => setStep({ at: "remove", webhook })}
                />
              ))}
            </ul>
          )
        }
      </Loaded>
      {step.at === "form" && <WebhookDialog fields={fields} change={setFields} create={create} onSubmit={make} onClose={close} />}
      {step.at === "secret" && <NewSecret created={step.created} onClose={closeAndReturn} />}
      {step.at === "remove" && (
        <Dialog
          open
          onOpenChange={close}
          title={t.webhooks.removeTitle}
          description={t.webhooks.removeText(step.webhook.url)}
          footer={
            <>
              <Button onClick={close}>{t.tokens.keep}</Button>
              <Button variant="danger" disabled={remove.isPending} onClick={() => takeAway(step.webhook.webhookId)}>
                {t.webhooks.removeConfirm}
              </Button>
            </>
          }
        >
          {remove.isError && <Failure text={messageOf(remove.error)} />}
        </Dialog>
      )}
    </section>
  );
}

function NewSecret({ created, onClose }: { created: WebhookCreatedBody; onClose: () => void }) {
  return (
    <SecretOnce
      title={t.webhooks.madeTitle}
      field={t.webhooks.secretField}
      secret={created.secret}
      note={t.secret.onceWebhook}
      onClose={onClose}
    >
      <SecretPart title={t.webhooks.verify} text={t.webhooks.verifyText}>
        <CodeBox code={VERIFY_SNIPPET} label={t.webhooks.verify} />
      </SecretPart>
    </SecretOnce>
  );
}
