import { ArrowUp, Cloud, FolderGit2, Monitor } from "lucide-react";
import { useRef, type KeyboardEvent, type RefObject } from "react";
import type { HostKind } from "@ai-dev-platform/protocol/modes";
import type { ProjectBody } from "@ai-dev-platform/protocol/http";
import { fieldAction } from "../composer/send-key.ts";
import { isMac } from "../keyboard/platform.ts";
import { keyPreferences } from "../keyboard/preferences.ts";
import { shownFor } from "../keyboard/shortcuts.ts";
import { ChipSelect } from "../ui/chip-select.tsx";
import { Tooltip } from "../ui/tooltip.tsx";
import { DEMO_MODEL, needsMachine, NEW_PROJECT, type NewSessionDraft } from "./draft.ts";
import { hostOptions, MODE_OPTIONS, modelOptions, projectOptions, SANDBOX } from "./form-options.ts";
import { t } from "./messages.ts";
import type { FormContext } from "./use-form-context.ts";

interface PromptBoxProps {
  field: RefObject<HTMLTextAreaElement | null>;
  draft: NewSessionDraft;
  change: (patch: Partial<NewSessionDraft>) => void;
  context: FormContext;
  project: ProjectBody | null;
  host: HostKind;
  isInvalid: boolean;
  isStarting: boolean;
  onSubmit: () => void;
}

/** The prompt with its choices as chips and the button that starts. */
export function PromptBox({ field, draft, change, context, project, host, isInvalid, isStarting, onSubmit }: PromptBoxProps) {
  const compositionEndedAt = useRef<number | null>(null);
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
            value={draft.mode}
            options={MODE_OPTIONS}
            onChange={(value) => change({ mode: MODE_OPTIONS.find((option) => option.value === value)?.value ?? "default" })}
          />
          <ChipSelect
            label={t.model}
            value={draft.model === "" && context.modelSource === "demo" ? DEMO_MODEL : draft.model || "default"}
            options={modelOptions(context.models, context.hasDemo, draft.model)}
            onChange={(model) => change({ model })}
          />
          <ChipSelect
            label={t.host}
            icon={host === "sandbox" ? <Cloud aria-hidden /> : <Monitor aria-hidden />}
            value={host === "sandbox" ? SANDBOX : draft.machineId}
            options={hostOptions(context.machines ?? [], draft.machineId, context.hasSandbox && !needsMachine(draft, project))}
            onChange={(value) => change(value === SANDBOX ? { host: "sandbox", machineId: "" } : { host: "machine", machineId: value })}
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
