import { LIFECYCLES } from "@ai-dev-platform/protocol/modes";
import { ChevronRight } from "lucide-react";
import { Checkbox } from "../ui/checkbox.tsx";
import { Choice } from "../ui/choice.tsx";
import { formatUsd } from "../ui/format.ts";
import { TextField } from "../ui/text-field.tsx";
import type { NewSessionDraft, Problems } from "./draft.ts";
import { t } from "./messages.ts";

interface MoreOptionsProps {
  draft: NewSessionDraft;
  change: (patch: Partial<NewSessionDraft>) => void;
  problems: Problems;
  /** What the chosen project says, until this form says otherwise. */
  projectTrust: boolean;
  budgetUsd: number | null;
}

export function MoreOptions({ draft, change, problems, projectTrust, budgetUsd }: MoreOptionsProps) {
  return (
    <details open={problems.budget !== undefined || undefined} className="group">
      <summary className="inline-flex min-h-7 items-center gap-1 rounded-control px-1 text-label font-medium text-fg-2 hover:text-fg pointer-coarse:min-h-11">
        <ChevronRight aria-hidden className="icon size-3.5 transition-transform duration-140 group-open:rotate-90" />
        {t.more}
      </summary>
      <div className="mt-2 flex flex-col gap-4 rounded-card border border-line p-3">
        <Choice
          label={t.lifecycle}
          value={draft.lifecycle}
          onChange={(lifecycle) => change({ lifecycle })}
          options={LIFECYCLES.map((value) => ({ value, label: t.lifecycles[value][0], description: t.lifecycles[value][1] }))}
        />
        <Checkbox checked={draft.trust ?? projectTrust} onChange={(trust) => change({ trust })}>
          {t.trust}
        </Checkbox>
        <div className="grid gap-3 md:grid-cols-2">
          <TextField
            label={t.budget}
            hint={budgetUsd === null ? undefined : t.budgetHint(formatUsd(budgetUsd))}
            inputMode="decimal"
            value={draft.budget}
            error={problems.budget}
            onChange={(event) => change({ budget: event.target.value })}
          />
          <TextField
            label={t.sessionTitle}
            hint={t.sessionTitleHint}
            value={draft.title}
            maxLength={200}
            onChange={(event) => change({ title: event.target.value })}
          />
        </div>
      </div>
    </details>
  );
}
