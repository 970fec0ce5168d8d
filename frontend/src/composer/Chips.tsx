import { MODES, type Mode } from "@ai-dev-platform/protocol/modes";
import type { SessionState } from "@ai-dev-platform/protocol/state";
import { ChevronDown } from "lucide-react";
import type { ComponentProps } from "react";
import { showFailure } from "../session-page/failure.ts";
import { useActions } from "../session/use-session.ts";
import { classes } from "../ui/classes.ts";
import { Menu, MenuRadio } from "../ui/menu.tsx";
import { MODE_WORDS, t } from "./messages.ts";
import { modeChoices, modelChoices, modelName } from "./modes.ts";

function Chip({ name, value, className, ...rest }: { name: string; value: string } & ComponentProps<"button">) {
  return (
    <button
      type="button"
      className={classes(
        "inline-flex h-7 min-w-0 items-center gap-1 rounded-control px-2 text-label font-medium whitespace-nowrap text-fg-2 hover:bg-hover hover:text-fg data-[state=open]:bg-hover pointer-coarse:h-11 pointer-coarse:text-ui",
        className,
      )}
      {...rest}
    >
      <span className="sr-only">{name}: </span>
      <span className="truncate">{value}</span>
      <ChevronDown aria-hidden className="size-3.5 flex-none stroke-[1.75] text-fg-3" />
    </button>
  );
}

export function ModeChip({ mode: current }: { mode: Mode }) {
  const actions = useActions();
  return (
    <Menu label={t.mode} trigger={<Chip name={t.mode} value={MODE_WORDS[current].label} className="flex-none" />}>
      <MenuRadio
        value={current}
        options={modeChoices(current)}
        onChange={(value) => {
          const mode = MODES.find((known) => known === value);
          if (mode !== undefined) actions.setMode(mode).catch(showFailure);
        }}
      />
    </Menu>
  );
}

/** On the phone there is no room for it: `/model` and the palette change it there. */
export function ModelChip({ state }: { state: SessionState }) {
  const actions = useActions();
  const choices = modelChoices(state).map(({ value, label, description }) => ({
    value,
    label,
    ...(description === "" ? {} : { description }),
  }));
  return (
    <Menu label={t.model} trigger={<Chip name={t.model} value={modelName(state)} className="max-w-40 max-sm:hidden" />}>
      <MenuRadio value={state.model} options={choices} onChange={(model) => void actions.setModel(model).catch(showFailure)} />
      {state.agent === null && <p className="px-2 py-1 text-label text-fg-3">{t.modelUnknown}</p>}
    </Menu>
  );
}
