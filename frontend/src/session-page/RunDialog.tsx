/** How the session runs and what it may cost, in one place: lifecycle, budget, sandbox hours. For its owner. */
import { MAX_MAX_HOURS, MIN_MAX_HOURS } from "@ai-dev-platform/protocol/limits";
import type { SessionState } from "@ai-dev-platform/protocol/state";
import { useState } from "react";
import { lifecycleWords, t as hosting } from "../hosting/messages.ts";
import { offeredLifecycles } from "../hosting/offered-lifecycles.ts";
import { useActions } from "../session/use-session.ts";
import { Button } from "../ui/button.tsx";
import { Choice } from "../ui/choice.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { TextField } from "../ui/text-field.tsx";
import { failureMessage } from "./failure.ts";
import { RunFacts } from "./LifecycleMenu.tsx";
import { t } from "./late-messages.ts";

const MAX_BUDGET_USD = 10_000;

/** A number as people write it, or null outside its bounds. */
function readNumber(text: string, min: number, max: number): number | null {
  const value = Number(text.trim().replace(",", "."));
  return text.trim() !== "" && value >= min && value <= max ? value : null;
}

function useRunForm(state: SessionState, onClose: () => void) {
  const actions = useActions();
  const [lifecycle, setLifecycle] = useState(state.lifecycle);
  const [budget, setBudget] = useState(String(state.budgetUsd));
  const [hours, setHours] = useState(String(state.maxHours));
  const [failure, setFailure] = useState<string | undefined>();
  const [wasSent, setWasSent] = useState(false);
  const budgetUsd = readNumber(budget, 0, MAX_BUDGET_USD);
  const maxHours = readNumber(hours, MIN_MAX_HOURS, MAX_MAX_HOURS);
  const isSandbox = state.hostKind === "sandbox";
  const save = async () => {
    setWasSent(true);
    setFailure(undefined);
    if (budgetUsd === null || (isSandbox && maxHours === null)) return;
    try {
      if (budgetUsd !== state.budgetUsd) await actions.setBudget(budgetUsd);
      if (isSandbox && maxHours !== null && maxHours !== state.maxHours) await actions.setMaxHours(maxHours);
      if (lifecycle !== state.lifecycle) await actions.setLifecycle(lifecycle);
      onClose();
    } catch (error) {
      setFailure(failureMessage(error));
    }
  };
  return {
    lifecycle,
    setLifecycle,
    budget,
    setBudget,
    hours,
    setHours,
    failure,
    save,
    budgetError: wasSent && budgetUsd === null ? t.budget.invalid : undefined,
    hoursError: wasSent && maxHours === null ? t.budget.hoursInvalid : undefined,
  };
}

export default function RunDialog({ state, onClose }: { state: SessionState; onClose: () => void }) {
  const form = useRunForm(state, onClose);
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t.budget.title}
      description={t.budget.description(state.usage.costUsd)}
      footer={
        <>
          <Button onClick={onClose}>{t.budget.cancel}</Button>
          <Button variant="primary" type="submit" form="run-form">
            {t.budget.save}
          </Button>
        </>
      }
    >
      <form
        id="run-form"
        noValidate
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          void form.save();
        }}
      >
        <div className="rounded-card bg-sunken">
          <RunFacts state={state} />
        </div>
        <div className="grid gap-3 md:grid-cols-2">
          <TextField
            label={t.budget.field}
            inputMode="decimal"
            value={form.budget}
            error={form.budgetError}
            onChange={(event) => form.setBudget(event.target.value)}
          />
          {state.hostKind === "sandbox" && (
            <TextField
              label={t.budget.hours}
              inputMode="decimal"
              value={form.hours}
              error={form.hoursError}
              onChange={(event) => form.setHours(event.target.value)}
            />
          )}
        </div>
        <Choice
          label={hosting.lifecycle}
          value={form.lifecycle}
          onChange={form.setLifecycle}
          options={offeredLifecycles(state).map((value) => ({ value, ...lifecycleWords(value, state.hostKind, state.size) }))}
        />
        {form.failure !== undefined && (
          <p role="alert" className="text-ui text-bad">
            {form.failure}
          </p>
        )}
      </form>
    </Dialog>
  );
}
