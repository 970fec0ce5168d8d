/** A cap was reached, of money or of hours. The owner can raise it by one step; nothing is spent until then. */
import { MAX_MAX_HOURS } from "@ai-dev-platform/protocol/limits";
import { may } from "@ai-dev-platform/protocol/roles";
import { CircleDollarSign, Hourglass } from "lucide-react";
import { useState, type ReactNode } from "react";
import { showFailure } from "../session-page/failure.ts";
import { useActions, useViewer } from "../session/use-session.ts";
import { Button } from "../ui/button.tsx";
import { DockCard } from "./DockCard.tsx";
import type { DockItem } from "./dock-items.ts";
import { t } from "./notice-messages.ts";

/** A budget grows by this much at a time: enough for a good piece of work, small enough to notice. */
const BUDGET_STEP_USD = 5;
/** The same for hours: an afternoon. */
const HOURS_STEP = 4;

type ItemOf<K extends DockItem["kind"]> = Extract<DockItem, { kind: K }>;

interface CapCardProps {
  icon: ReactNode;
  title: string;
  body: string;
  askOwner: string;
  /** Null where it cannot be raised any more. */
  raise: { label: string; run: () => Promise<void> } | null;
  onStop: () => void;
}

function CapCard({ icon, title, body, askOwner, raise, onStop }: CapCardProps) {
  const actions = useActions();
  const viewer = useViewer();
  const [isBusy, setIsBusy] = useState(false);
  const isOwner = viewer !== null && may(viewer.role, "own");
  const run = () => {
    setIsBusy(true);
    raise
      ?.run()
      .catch(showFailure)
      .finally(() => setIsBusy(false));
  };
  const stop = () => {
    actions.stopAll().catch(showFailure);
    onStop();
  };
  return (
    <DockCard
      icon={icon}
      title={title}
      actions={
        isOwner ? (
          <>
            {raise !== null && (
              <Button variant="primary" disabled={isBusy} onClick={run}>
                {raise.label}
              </Button>
            )}
            <Button onClick={stop}>{t.budget.stop}</Button>
          </>
        ) : (
          <p className="text-ui text-fg-2">{askOwner}</p>
        )
      }
    >
      <p className="text-ui text-fg-2">{body}</p>
    </DockCard>
  );
}

export function BudgetCard({ item, onStop }: { item: ItemOf<"budget">; onStop: () => void }) {
  const actions = useActions();
  // From what is spent, so that one step is always worth its name.
  const next = Math.ceil(Math.max(item.budgetUsd, item.spentUsd) + BUDGET_STEP_USD);
  return (
    <CapCard
      icon={<CircleDollarSign aria-hidden />}
      title={t.budget.title(item.budgetUsd)}
      body={t.budget.body}
      askOwner={t.budget.askOwner}
      raise={{ label: t.budget.add(BUDGET_STEP_USD), run: () => actions.setBudget(next) }}
      onStop={onStop}
    />
  );
}

export function HoursCard({ item, onStop }: { item: ItemOf<"hours">; onStop: () => void }) {
  const actions = useActions();
  const next = Math.min(MAX_MAX_HOURS, Math.ceil(Math.max(item.maxHours, item.usedHours) + HOURS_STEP));
  return (
    <CapCard
      icon={<Hourglass aria-hidden />}
      title={t.hours.title(item.maxHours)}
      body={next > item.maxHours ? t.hours.body : t.hours.most}
      askOwner={t.hours.askOwner}
      raise={next > item.maxHours ? { label: t.hours.add(next - item.maxHours), run: () => actions.setMaxHours(next) } : null}
      onStop={onStop}
    />
  );
}
