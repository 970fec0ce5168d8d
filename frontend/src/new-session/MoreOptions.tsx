/** How the session lives, what it may reach and what it may cost. Loaded after first paint; closed, it names what is set. */
import { DEFAULT_MAX_HOURS } from "@ai-dev-platform/protocol/limits";
import { LIFECYCLES, NETWORK_LEVELS, SANDBOX_SIZES, type HostKind } from "@ai-dev-platform/protocol/modes";
import { ChevronRight } from "lucide-react";
import { HostList } from "../hosting/HostList.tsx";
import { LIFECYCLE_WORDS, lifecycleWords, NETWORK_WORDS, sizeWords, t as hosting } from "../hosting/messages.ts";
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
  host: HostKind;
  /** What the chosen project says, until this form says otherwise. */
  projectTrust: boolean;
  budgetUsd: number | null;
}

type Part = Pick<MoreOptionsProps, "draft" | "change">;

export function MoreOptions({ draft, change, problems, host, projectTrust, budgetUsd }: MoreOptionsProps) {
  const isSandbox = host === "sandbox";
  return (
    <details open={problems.budget !== undefined || problems.hours !== undefined || undefined} className="group">
      <summary className="flex min-h-7 items-center gap-1 rounded-control px-1 text-label font-medium text-fg-2 hover:text-fg pointer-coarse:min-h-11">
        <ChevronRight aria-hidden className="icon size-3.5 flex-none transition-transform duration-140 group-open:rotate-90" />
        <span className="flex-none">{t.more}</span>
        {host !== "direct" && <span className="min-w-0 truncate font-normal text-fg-3">· {summary(draft, isSandbox)}</span>}
      </summary>
      <div className="mt-2 flex flex-col gap-4 rounded-card border border-line p-3">
        {host !== "direct" && (
          <Choice
            label={hosting.lifecycle}
            value={draft.lifecycle}
            onChange={(lifecycle) => change({ lifecycle })}
            options={LIFECYCLES.map((value) => ({ value, ...lifecycleWords(value, host, draft.size) }))}
          />
        )}
        {isSandbox && <SandboxChoices draft={draft} change={change} />}
        {host !== "direct" && (
          <Checkbox checked={draft.trust ?? projectTrust} onChange={(trust) => change({ trust })}>
            {t.trust}
          </Checkbox>
        )}
        <div className="grid gap-3 md:grid-cols-2">
          <TextField
            label={t.budget}
            hint={budgetUsd === null ? undefined : t.budgetHint(formatUsd(budgetUsd))}
            inputMode="decimal"
            value={draft.budget}
            error={problems.budget}
            onChange={(event) => change({ budget: event.target.value })}
          />
          {isSandbox && (
            <TextField
              label={t.hours}
              hint={t.hoursHint(DEFAULT_MAX_HOURS)}
              inputMode="decimal"
              value={draft.hours}
              error={problems.hours}
              onChange={(event) => change({ hours: event.target.value })}
            />
          )}
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

const summary = ({ lifecycle, size, networkLevel }: NewSessionDraft, isSandbox: boolean): string =>
  [LIFECYCLE_WORDS[lifecycle].label, ...(isSandbox ? [sizeWords(size).label, NETWORK_WORDS[networkLevel].label] : [])].join(" · ");

function SandboxChoices({ draft, change }: Part) {
  return (
    <>
      <Choice
        label={hosting.size}
        value={draft.size}
        onChange={(size) => change({ size })}
        options={SANDBOX_SIZES.map((value) => ({ value, ...sizeWords(value) }))}
      />
      <div className="flex flex-col gap-2">
        <Choice
          label={hosting.network}
          value={draft.networkLevel}
          onChange={(networkLevel) => change({ networkLevel })}
          options={NETWORK_LEVELS.map((value) => ({ value, ...NETWORK_WORDS[value] }))}
        />
        {draft.networkLevel === "custom" && <HostList hosts={draft.networkHosts} onChange={(networkHosts) => change({ networkHosts })} />}
      </div>
    </>
  );
}
