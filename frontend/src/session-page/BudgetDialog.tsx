import { useState } from "react";
import { useActions } from "../session/use-session.ts";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { TextField } from "../ui/text-field.tsx";
import { failureMessage } from "./failure.ts";
import { t } from "./messages.ts";

const MAX_BUDGET_USD = 10_000;

export function BudgetDialog({ budgetUsd, spentUsd, onClose }: { budgetUsd: number; spentUsd: number; onClose: () => void }) {
  const actions = useActions();
  const [text, setText] = useState(String(budgetUsd));
  const [error, setError] = useState<string | undefined>();
  const submit = () => {
    const wanted = Number(text.replace(",", "."));
    if (!Number.isFinite(wanted) || text.trim() === "" || wanted < 0 || wanted > MAX_BUDGET_USD) return setError(t.budget.invalid);
    return void actions.setBudget(wanted).then(onClose, (failure: unknown) => setError(failureMessage(failure)));
  };
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t.budget.title}
      description={t.budget.description(spentUsd)}
      footer={
        <>
          <Button onClick={onClose}>{t.budget.cancel}</Button>
          <Button variant="primary" type="submit" form="budget-form">
            {t.budget.save}
          </Button>
        </>
      }
    >
      <form
        id="budget-form"
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <TextField
          label={t.budget.field}
          inputMode="decimal"
          value={text}
          error={error}
          onChange={(event) => setText(event.target.value)}
        />
      </form>
    </Dialog>
  );
}
