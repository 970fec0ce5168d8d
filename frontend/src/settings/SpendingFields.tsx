import { useState, type FormEvent } from "react";
import type { SettingsBody } from "@ai-dev-platform/protocol/http";
import { messageOf } from "../api/client.ts";
import { Button } from "../ui/button.tsx";
import { formatCount } from "../ui/format.ts";
import { Select } from "../ui/select.tsx";
import { TextField } from "../ui/text-field.tsx";
import { toast } from "../ui/toast.ts";
import { Loaded } from "./Loaded.tsx";
import { t } from "./messages.ts";
import { usePatchSettings, useSettings } from "./use-settings.ts";

const ROTATION_DAYS = [30, 60, 90, 180, 365] as const;
const NEVER = "never";
const BUDGET_MIN_USD = 0.01;
const BUDGET_MAX_USD = 10_000;

/** How often to be reminded of a new key, and where a session pauses. */
export function SpendingFields() {
  const settings = useSettings();
  return <Loaded query={settings}>{(value) => <Fields value={value} />}</Loaded>;
}

function Fields({ value }: { value: SettingsBody }) {
  const patch = usePatchSettings();
  const days = value.rotateAfterDays;
  const known = days === null || ROTATION_DAYS.some((choice) => choice === days) ? ROTATION_DAYS : [...ROTATION_DAYS, days];
  return (
    <div className="grid items-start gap-4 border-t border-line pt-4 md:grid-cols-2">
      <Select
        label={t.key.reminder}
        value={days === null ? NEVER : String(days)}
        onChange={(choice) =>
          patch.mutate({ rotateAfterDays: choice === NEVER ? null : Number(choice) }, { onSuccess: () => toast(t.saved) })
        }
        options={[
          ...known.map((choice) => ({ value: String(choice), label: t.key.reminderEvery(formatCount(choice)) })),
          { value: NEVER, label: t.key.reminderNever },
        ]}
      />
      <BudgetField key={value.budgetUsd} budgetUsd={value.budgetUsd} />
      {patch.isError && (
        <p role="alert" className="text-label text-bad md:col-span-2">
          {messageOf(patch.error)}
        </p>
      )}
    </div>
  );
}

function BudgetField({ budgetUsd }: { budgetUsd: number }) {
  const patch = usePatchSettings();
  const [text, setText] = useState(budgetUsd.toFixed(2));
  const amount = Number(text);
  const isValid = text.trim() !== "" && amount >= BUDGET_MIN_USD && amount <= BUDGET_MAX_USD;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (isValid) patch.mutate({ budgetUsd: amount }, { onSuccess: () => toast(t.saved) });
  };
  return (
    <form onSubmit={submit} noValidate className="flex items-start gap-2">
      <TextField
        label={t.key.budget}
        className="flex-1"
        inputMode="decimal"
        value={text}
        error={isValid ? (patch.isError ? messageOf(patch.error) : undefined) : t.key.budgetWrong}
        onChange={(event) => setText(event.target.value)}
      />
      <Button type="submit" className="mt-5" disabled={!isValid || amount === budgetUsd || patch.isPending}>
        {t.save}
      </Button>
    </form>
  );
}
