/** Makes a webhook. What is typed is its caller's, as with a token. */
import type { WebhookEvent } from "@ai-dev-platform/protocol/api/webhooks";
import { useId, useRef, useState, type FormEvent } from "react";
import { Button } from "../ui/button.tsx";
import { Checkbox } from "../ui/checkbox.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { TextField } from "../ui/text-field.tsx";
import { t } from "./messages.ts";
import { problemOf } from "../settings/problem-of.ts";
import { Failure } from "./SecretOnce.tsx";
import type { useWebhookActions } from "./use-programs.ts";
import { EVENTS, webhookRequest, type WebhookFields, type WebhookProblems } from "./webhook-form.ts";

type Create = ReturnType<typeof useWebhookActions>["create"];

interface WebhookDialogProps {
  fields: WebhookFields;
  change: (fields: WebhookFields) => void;
  create: Create;
  onSubmit: (webhook: Parameters<Create["mutate"]>[0]) => void;
  onClose: () => void;
}

export function WebhookDialog({ fields, change, create, onSubmit, onClose }: WebhookDialogProps) {
  const formId = useId();
  const address = useRef<HTMLInputElement>(null);
  const [problems, setProblems] = useState<WebhookProblems>({});
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const read = webhookRequest(fields);
    setProblems(read.ok ? {} : read.problems);
    if (!read.ok && read.problems.url !== undefined) address.current?.focus();
    if (read.ok && !create.isPending) onSubmit(read.webhook);
  };
  const set = (event: WebhookEvent, isOn: boolean) =>
    change({ ...fields, events: isOn ? [...fields.events, event] : fields.events.filter((known) => known !== event) });
  return (
    <Dialog
      open
      initialFocus={address}
      onOpenChange={onClose}
      title={t.webhooks.createTitle}
      description={t.webhooks.createAbout}
      footer={
        <>
          <Button onClick={onClose}>{t.cancel}</Button>
          <Button type="submit" form={formId} variant="primary" disabled={create.isPending}>
            {create.isPending ? t.webhooks.submitting : t.webhooks.submit}
          </Button>
        </>
      }
    >
      <form id={formId} onSubmit={submit} noValidate className="flex flex-col gap-4 pt-1">
        <TextField
          ref={address}
          label={t.webhooks.url}
          hint={t.webhooks.urlHint}
          error={problems.url}
          value={fields.url}
          inputMode="url"
          autoCapitalize="off"
          autoCorrect="off"
          autoComplete="off"
          spellCheck={false}
          placeholder="https://"
          maxLength={2_000}
          onChange={(event) => change({ ...fields, url: event.target.value })}
        />
        <fieldset>
          <legend className="mb-1 text-label font-medium text-fg-2">{t.webhooks.when}</legend>
          {EVENTS.map((event) => (
            <Checkbox key={event} checked={fields.events.includes(event)} onChange={(isOn) => set(event, isOn)}>
              {t.webhooks.events[event]}
              <span className="block text-label text-fg-3">{t.webhooks.eventTexts[event]}</span>
            </Checkbox>
          ))}
          {problems.events !== undefined && (
            <p role="alert" className="mt-1 text-label text-bad">
              {problems.events}
            </p>
          )}
        </fieldset>
        {create.isError && <Failure text={problemOf(create.error)} />}
      </form>
    </Dialog>
  );
}
