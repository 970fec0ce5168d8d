/** Makes a token. What is typed is its caller's, so that neither a failure nor a slip of the pointer loses it. */
import type { ApiScope } from "@ai-dev-platform/protocol/api/access";
import { useId, useRef, useState, type FormEvent } from "react";
import { messageOf } from "../api/client.ts";
import { Button } from "../ui/button.tsx";
import { Callout } from "../ui/callout.tsx";
import { Checkbox } from "../ui/checkbox.tsx";
import { Choice } from "../ui/choice.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { DAY_MS, formatCount, formatDay } from "../ui/format.ts";
import { Select } from "../ui/select.tsx";
import { TextField } from "../ui/text-field.tsx";
import { useNow } from "../ui/time.tsx";
import { t } from "./messages.ts";
import { Failure } from "./SecretOnce.tsx";
import { EXPIRY_DAYS, offeredPresets, scopesOf, tokenRequest, type TokenFields, type TokenProblems } from "./token-form.ts";
import type { useTokens } from "./use-programs.ts";

type Create = ReturnType<typeof useTokens>["create"];

interface TokenDialogProps {
  fields: TokenFields;
  change: (patch: Partial<TokenFields>) => void;
  offered: readonly ApiScope[];
  create: Create;
  onSubmit: (token: Parameters<Create["mutate"]>[0]) => void;
  onClose: () => void;
}

export function TokenDialog({ fields, change, offered, create, onSubmit, onClose }: TokenDialogProps) {
  const formId = useId();
  const name = useRef<HTMLInputElement>(null);
  const [problems, setProblems] = useState<TokenProblems>({});
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const read = tokenRequest(fields, offered);
    setProblems(read.ok ? {} : read.problems);
    if (!read.ok && read.problems.name !== undefined) name.current?.focus();
    if (read.ok && !create.isPending) onSubmit(read.token);
  };
  return (
    <Dialog
      open
      initialFocus={name}
      onOpenChange={onClose}
      title={t.create.title}
      description={t.create.about}
      footer={
        <>
          <Button onClick={onClose}>{t.cancel}</Button>
          <Button type="submit" form={formId} variant="primary" disabled={create.isPending}>
            {create.isPending ? t.create.submitting : t.create.submit}
          </Button>
        </>
      }
    >
      <form id={formId} onSubmit={submit} noValidate className="flex flex-col gap-4 pt-1">
        <TextField
          ref={name}
          label={t.create.name}
          hint={t.create.nameHint}
          error={problems.name}
          placeholder={t.create.namePlaceholder}
          value={fields.name}
          maxLength={100}
          autoComplete="off"
          onChange={(event) => change({ name: event.target.value })}
        />
        <Access fields={fields} change={change} offered={offered} problem={problems.scopes} />
        <div className="grid gap-4 md:grid-cols-2">
          <Expiry value={fields.expiresInDays} change={change} />
          <TextField
            label={t.create.budget}
            hint={t.create.budgetHint}
            error={problems.budget}
            value={fields.budget}
            inputMode="decimal"
            autoComplete="off"
            maxLength={12}
            onChange={(event) => change({ budget: event.target.value })}
          />
        </div>
        {create.isError && <Failure text={messageOf(create.error)} />}
      </form>
    </Dialog>
  );
}

type FieldsProps = Pick<TokenDialogProps, "fields" | "change" | "offered">;

function Access({ fields, change, offered, problem }: FieldsProps & { problem: string | undefined }) {
  const scopes = scopesOf(fields, offered);
  return (
    <div>
      <Choice
        label={t.create.access}
        value={fields.preset}
        // Choosing one by one begins with what was chosen.
        onChange={(preset) => change(preset === "custom" ? { preset, scopes } : { preset })}
        options={offeredPresets(offered).map((value) => ({
          value,
          label: t.create.presets[value],
          ...(t.create.presetTexts[value] === "" ? {} : { description: t.create.presetTexts[value] }),
        }))}
      />
      {fields.preset === "custom" && <Scopes {...{ fields, change, offered }} />}
      {problem !== undefined && (
        <p role="alert" className="mt-1 text-label text-bad">
          {problem}
        </p>
      )}
      {scopes.includes("approve:all") && (
        <div className="mt-2">
          <Callout tone="warn">{t.create.allWarning}</Callout>
        </div>
      )}
    </div>
  );
}

function Scopes({ fields, change, offered }: FieldsProps) {
  const set = (scope: ApiScope, isOn: boolean) =>
    change({ scopes: isOn ? [...fields.scopes, scope] : fields.scopes.filter((known) => known !== scope) });
  return (
    <fieldset className="mt-1 ml-7 border-l border-line pl-3">
      <legend className="sr-only">{t.create.scopes}</legend>
      {offered.map((scope) => (
        <Checkbox key={scope} checked={fields.scopes.includes(scope)} onChange={(isOn) => set(scope, isOn)}>
          {t.scopes[scope].name}
          <span className="block text-label text-fg-3">{t.scopes[scope].text}</span>
        </Checkbox>
      ))}
    </fieldset>
  );
}

function Expiry({ value, change }: { value: number | null; change: TokenDialogProps["change"] }) {
  const now = useNow("minute");
  return (
    <Select
      label={t.create.expiry}
      value={String(value)}
      onChange={(chosen) => change({ expiresInDays: chosen === "null" ? null : Number(chosen) })}
      options={[
        ...EXPIRY_DAYS.map((days) => ({ value: String(days), label: t.create.expiryDays(formatCount(days)) })),
        { value: "null", label: t.create.expiryNever },
      ]}
      hint={value === null ? t.create.expiryNeverHint : t.create.expiryOn(formatDay(now + value * DAY_MS, now))}
    />
  );
}
