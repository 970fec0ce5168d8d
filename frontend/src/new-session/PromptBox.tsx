import { ArrowUp, Cloud, FolderGit2, MessageCircle, Monitor } from "lucide-react";
import { useRef, type KeyboardEvent, type RefObject } from "react";
import type { HostKind } from "@ai-dev-platform/protocol/modes";
import type { ProjectBody } from "@ai-dev-platform/protocol/http";
import { fieldAction } from "../composer/send-key.ts";
import { isMac } from "../keyboard/platform.ts";
import { keyPreferences } from "../keyboard/preferences.ts";
import { shownFor } from "../keyboard/shortcuts.ts";
import { ChipSelect } from "../ui/chip-select.tsx";
import { Tooltip } from "../ui/tooltip.tsx";
import { chosenMode, needsMachine, NEW_PROJECT, type NewSessionDraft } from "./draft.ts";
import { DIRECT, hostOptions, modelOptions, modeOptions, projectOptions, SANDBOX } from "./form-options.ts";
import { t } from "./messages.ts";
import type { FormContext } from "./use-form-context.ts";

const HOST_ICONS = { sandbox: Cloud, machine: Monitor, direct: MessageCircle } as const;

interface PromptBoxProps {
  field: RefObject<HTMLTextAreaElement | null>;
  draft: NewSessionDraft;
  change: (patch: Partial<NewSessionDraft>) => void;
  context: FormContext;
  project: ProjectBody | null;
  host: HostKind;
  model: string;
  /** Its name, where the chosen host is the person's own. */
  ownMachine: string | null;
  isInvalid: boolean;
  isStarting: boolean;
  onSubmit: () => void;
}

/** The prompt with its choices as chips and the button that starts. */
export function PromptBox({
  field,
  draft,
  change,
  context,
  project,
  host,
  model,
  ownMachine,
  isInvalid,
  isStarting,
  onSubmit,
}: PromptBoxProps) {
  const compositionEndedAt = useRef<number | null>(null);
  const isFree = !needsMachine(draft, project);
  const modes = modeOptions(ownMachine !== null);
  const HostIcon = HOST_ICONS[host];
  const onKeyDown = (event: KeyboardEvent) => {
    const action = fieldAction(event.nativeEvent, {
      isEmpty: draft.text === "",
      isListOpen: false,
      enterSends: keyPreferences().enterSends,
      compositionEndedAt: compositionEndedAt.current,
      now: performance.now(),
    });
    if (action !== "send") return;
    event.preventDefault();
    onSubmit();
  };
  return (
    <div className="rounded-dock border border-line-strong bg-surface has-[textarea:focus-visible]:border-accent">
      <textarea
        ref={field}
        aria-label={t.prompt}
        aria-invalid={isInvalid}
        placeholder={t.promptPlaceholder}
        value={draft.text}
        rows={3}
        onChange={(event) => change({ text: event.target.value })}
        onKeyDown={onKeyDown}
        onCompositionEnd={() => {
          compositionEndedAt.current = performance.now();
        }}
        className="block field-sizing-content max-h-[40vh] min-h-[84px] w-full resize-none rounded-t-dock bg-transparent px-3.5 pt-3 pb-1 text-body outline-none pointer-coarse:text-title"
      />
      <div className="flex items-end gap-1 p-1.5 pl-2">
        <div className="flex min-w-0 flex-1 flex-wrap gap-x-0.5">
          <ChipSelect
            label={t.project}
            icon={<FolderGit2 aria-hidden />}
            value={project?.projectId ?? NEW_PROJECT}
            options={projectOptions(context.projects ?? [])}
            onChange={(value) => change({ project: value, trust: null })}
          />
          <ChipSelect
            label={t.mode}
            value={chosenMode(draft, ownMachine !== null)}
            options={modes}
            onChange={(value) => change({ mode: modes.find((option) => option.value === value)?.value ?? "default" })}
          />
          <ChipSelect
            label={t.model}
            value={model}
            options={modelOptions(context.models, context.hasDemo, model, ownMachine)}
            onChange={(value) => change({ model: value })}
          />
          <ChipSelect
            label={t.host}
            icon={<HostIcon aria-hidden />}
            value={host === "machine" ? draft.machineId : host}
            options={hostOptions(context.machines ?? [], draft.machineId, {
              offersSandbox: isFree && context.hasSandbox,
              offersDirect: isFree,
            })}
            onChange={(value) =>
              change(value === SANDBOX || value === DIRECT ? { host: value, machineId: "" } : { host: "machine", machineId: value })
            }
          />
        </div>
        <Tooltip text={`${t.start} ${shownFor("send", isMac)}`}>
          <button
            type="submit"
            aria-label={isStarting ? t.starting : t.start}
            disabled={isStarting}
            className="flex size-8 flex-none items-center justify-center rounded-card bg-ink text-on-ink transition-colors hover:bg-fg-2 disabled:opacity-50 pointer-coarse:size-11"
          >
            <ArrowUp aria-hidden className="icon" />
          </button>
        </Tooltip>
      </div>
    </div>
  );
}
