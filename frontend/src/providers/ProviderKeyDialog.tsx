/** Takes a provider's key, has it checked and stored. The key lives in the field alone: never in React state, storage or a URL. */
import type { KeyBody } from "@ai-dev-platform/protocol/http";
import { useId, useRef, useState, type FormEvent } from "react";
import { useKeyActions } from "../settings/use-settings.ts";
import { Button } from "../ui/button.tsx";
import { Callout } from "../ui/callout.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { TextField } from "../ui/text-field.tsx";
import { toast } from "../ui/toast.ts";
import { t } from "./messages.ts";
import type { OtherProvider } from "./OtherProviders.tsx";
import { problemOf } from "../settings/problem-of.ts";

const QUIET = { autoCapitalize: "off", autoCorrect: "off", autoComplete: "off", spellCheck: false } as const;
const CONSOLES: Partial<Record<OtherProvider, { href: string; words: string }>> = {
  openai: { href: "https://platform.openai.com/api-keys", words: t.dialog.console.openai },
  openrouter: { href: "https://openrouter.ai/settings/keys", words: t.dialog.console.openrouter },
};
const PLACEHOLDERS: Record<OtherProvider, string> = { openai: "sk-…", openrouter: "sk-or-…", custom: "" };

interface ProviderKeyDialogProps {
  provider: OtherProvider;
  stored: KeyBody | null;
  onClose: () => void;
}

export function ProviderKeyDialog({ provider, stored, onClose }: ProviderKeyDialogProps) {
  const formId = useId();
  const keyField = useRef<HTMLInputElement>(null);
  const addressField = useRef<HTMLInputElement>(null);
  const [address, setAddress] = useState(stored?.baseUrl ?? "");
  const [problems, setProblems] = useState<{ key?: string; address?: string }>({});
  const { add } = useKeyActions();
  const isCustom = provider === "custom";
  const name = t.nameOf(provider, stored);
  const link = CONSOLES[provider];
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const apiKey = keyField.current?.value.trim() ?? "";
    const baseUrl = address.trim();
    const isAddress = !isCustom || /^https?:$/.test(URL.parse(baseUrl)?.protocol ?? "");
    setProblems({ ...(apiKey === "" ? { key: t.dialog.problems.key } : {}), ...(isAddress ? {} : { address: t.dialog.problems.address }) });
    if (apiKey === "" || !isAddress || add.isPending) return;
    add.mutate(
      { apiKey, provider, ...(isCustom ? { baseUrl } : {}) },
      {
        onSuccess: (made) => {
          toast(t.dialog.works(t.nameOf(provider, made)));
          onClose();
        },
      },
    );
  };
  return (
    <Dialog
      open
      initialFocus={isCustom ? addressField : keyField}
      onOpenChange={onClose}
      title={t.dialog.title(name)}
      description={stored === null ? t.dialog.about : t.dialog.replaceAbout}
      footer={
        <>
          <Button onClick={onClose}>{t.dialog.cancel}</Button>
          <Button type="submit" form={formId} variant="primary" disabled={add.isPending}>
            {add.isPending ? t.dialog.submitting : t.dialog.submit}
          </Button>
        </>
      }
    >
      <form id={formId} onSubmit={submit} noValidate className="flex flex-col gap-3 pt-1">
        {isCustom && (
          <TextField
            {...QUIET}
            ref={addressField}
            label={t.dialog.address}
            hint={t.dialog.addressHint}
            error={problems.address}
            inputMode="url"
            placeholder="https://"
            maxLength={500}
            value={address}
            onChange={(event) => setAddress(event.target.value)}
          />
        )}
        <TextField
          {...QUIET}
          ref={keyField}
          type="password"
          data-1p-ignore=""
          data-lpignore="true"
          label={t.dialog.key}
          error={problems.key}
          placeholder={PLACEHOLDERS[provider]}
          maxLength={10_240}
        />
        {link !== undefined && (
          <a href={link.href} target="_blank" rel="noreferrer" className="self-start text-label text-accent underline underline-offset-2">
            {link.words}
          </a>
        )}
        {add.isError && (
          <Callout tone="bad" alert>
            {problemOf(add.error)}
          </Callout>
        )}
      </form>
    </Dialog>
  );
}
