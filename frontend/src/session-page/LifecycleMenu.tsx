/**
 * How the session lives and on which computer, as chips in the header: what it is set to, what it has used, and the choice.
 * Loaded after first paint.
 */
import { may } from "@ai-dev-platform/protocol/roles";
import type { SessionState } from "@ai-dev-platform/protocol/state";
import { ArrowLeftRight, ChevronDown, Cloud, Monitor } from "lucide-react";
import { lazy, Suspense, useCallback, useState } from "react";
import { HOST_WORDS, LIFECYCLE_WORDS, lifecycleWords, sizeWords, t as hosting } from "../hosting/messages.ts";
import { offeredLifecycles } from "../hosting/offered-lifecycles.ts";
import { useActions, useViewer } from "../session/use-session.ts";
import { formatUsd } from "../ui/format.ts";
import { Menu, MenuItem, MenuRadio, MenuSeparator } from "../ui/menu.tsx";
import { Popover } from "../ui/popover.tsx";
import { showFailure } from "./failure.ts";
import { t } from "./late-messages.ts";
import { MachineChip } from "./MachineChip.tsx";

/** Where it runs, how large, and what that has used so far. */
export function RunFacts({ state }: { state: SessionState }) {
  const { hostKind, host, size, hostSeconds, hostCostUsd, maxHours } = state;
  const isSandbox = hostKind === "sandbox";
  const place = !isSandbox && host.hostName !== "" ? host.hostName : HOST_WORDS[hostKind].label;
  return (
    <div className="px-2 py-1.5 text-label text-fg-2">
      <p>
        {place}
        {isSandbox && ` · ${sizeWords(size).label}`}
      </p>
      {isSandbox && (
        <p className="tabular text-fg-3">
          {hosting.hoursOf(hostSeconds / 3_600, maxHours)} · {t.lifecycle.cost(formatUsd(hostCostUsd))}
        </p>
      )}
    </div>
  );
}

const MoveDialog = lazy(() => import("./MoveDialog.tsx"));

export default function LifecycleMenu({ state }: { state: SessionState }) {
  const [isMoving, setIsMoving] = useState(false);
  const close = useCallback(() => setIsMoving(false), []);
  return (
    <>
      <span className="hidden flex-none lg:block">
        <LifecycleChip state={state} onMove={() => setIsMoving(true)} />
      </span>
      {state.hostKind !== "sandbox" && (
        <span className="hidden min-w-0 flex-none md:block">
          <MachineChip state={state} />
        </span>
      )}
      <Suspense fallback={null}>{isMoving && <MoveDialog state={state} onClose={close} />}</Suspense>
    </>
  );
}

function LifecycleChip({ state, onMove }: { state: SessionState; onMove: () => void }) {
  const actions = useActions();
  const viewer = useViewer();
  const Icon = state.hostKind === "sandbox" ? Cloud : Monitor;
  const trigger = (
    <button
      type="button"
      className="inline-flex h-7 flex-none items-center gap-1 rounded-control px-1.5 text-label whitespace-nowrap text-fg-2 hover:bg-hover hover:text-fg data-[state=open]:bg-hover"
    >
      <Icon aria-hidden className="size-3.5 stroke-[1.75]" />
      <span className="sr-only">{hosting.lifecycle}: </span>
      {LIFECYCLE_WORDS[state.lifecycle].label}
      <ChevronDown aria-hidden className="size-3.5 stroke-[1.75] text-fg-3" />
    </button>
  );
  if (viewer === null || !may(viewer.role, "own")) {
    const { label, description } = lifecycleWords(state.lifecycle, state.hostKind, state.size);
    return (
      <Popover label={hosting.lifecycle} align="start" trigger={trigger}>
        <div className="w-64">
          <RunFacts state={state} />
          <p className="px-2 text-ui">{label}</p>
          <p className="px-2 text-label text-fg-3">{description}</p>
        </div>
      </Popover>
    );
  }
  return (
    <Menu label={hosting.lifecycle} trigger={trigger}>
      <RunFacts state={state} />
      <MenuRadio
        value={state.lifecycle}
        options={offeredLifecycles(state).map((value) => ({ value, ...lifecycleWords(value, state.hostKind, state.size) }))}
        onChange={(value) => {
          const lifecycle = offeredLifecycles(state).find((known) => known === value);
          if (lifecycle !== undefined && lifecycle !== state.lifecycle) actions.setLifecycle(lifecycle).catch(showFailure);
        }}
      />
      <MenuSeparator />
      <MenuItem icon={<ArrowLeftRight />} onSelect={onMove}>
        {t.move.item}
      </MenuItem>
    </Menu>
  );
}
