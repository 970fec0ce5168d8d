/** A composer for a session that does not exist yet: the prompt, where it runs, and how. */
import { lazy, Suspense, useEffect, useRef, useState } from "react";
import { useLocation } from "wouter";
import { ApiError } from "../api/client.ts";
import { useConfig } from "../auth/use-me.ts";
import { paths } from "../routes.ts";
import { Callout } from "../ui/callout.tsx";
import { AgentOff } from "./AgentOff.tsx";
import { checkDraft, chosenModel, chosenProject, hostKindOf, LOGIN_MODEL, type Problems } from "./draft.ts";
import { hostHint, ownMachineOf } from "./form-options.ts";
import { t } from "./messages.ts";
import { PromptBox } from "./PromptBox.tsx";
import { StartProblem } from "./StartProblem.tsx";
import { useFormContext } from "./use-form-context.ts";
import { useNewSessionDraft, useStartSession } from "./use-new-session.ts";

const NewProjectFields = lazy(() => import("./NewProjectFields.tsx").then((module) => ({ default: module.NewProjectFields })));
const OwnMachineNote = lazy(() => import("./OwnMachineNote.tsx"));
const MoreOptions = lazy(() => import("./MoreOptions.tsx").then((module) => ({ default: module.MoreOptions })));

interface NewSessionFormProps {
  projectId: string | null;
  /** The form is what the person came for: the prompt takes the focus. */
  takesFocus?: boolean;
  withExamples?: boolean;
  onStarted?: () => void;
}

const NO_PROBLEMS: Problems = {};

export function NewSessionForm(props: NewSessionFormProps) {
  const features = useConfig().data?.features;
  return features?.agent === false ? <AgentOff features={features} /> : <SessionForm {...props} />;
}

function SessionForm({ projectId, takesFocus = false, withExamples = false, onStarted }: NewSessionFormProps) {
  const [draft, change] = useNewSessionDraft(projectId);
  const [problems, setProblems] = useState(NO_PROBLEMS);
  const start = useStartSession((made) => change({ project: made }));
  const [, navigate] = useLocation();
  const context = useFormContext();
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    if (takesFocus) field.current?.focus();
  }, [takesFocus]);

  const { projects } = context;
  const project = chosenProject(draft, projects ?? []);
  const isNewProject = project === null;
  const host = hostKindOf(draft, project, context);
  const ownMachine = host === "machine" ? ownMachineOf(context.machines, draft.machineId) : null;
  const model = chosenModel(draft, { ...context, isOwnMachine: ownMachine !== null });
  const hint = host === "machine" ? hostHint(context.machines, draft.machineId) : null;

  const submit = () => {
    const found = checkDraft(draft, isNewProject);
    setProblems(found);
    if (found.text !== undefined) field.current?.focus();
    // Until the projects are known, "none" may not be true: a second one would be made by mistake.
    if (Object.keys(found).length > 0 || start.isPending || projects === undefined) return;
    const onSuccess = ({ sessionId }: { sessionId: string }) => {
      onStarted?.();
      navigate(paths.session(sessionId));
    };
    const onError = (error: Error) => {
      // What was uploaded is gone: it is asked for again, everything else stays.
      if (error instanceof ApiError && error.code === "import_missing") change({ archive: null });
    };
    start.mutate({ draft, project, host, model, isOwnMachine: ownMachine !== null }, { onSuccess, onError });
  };

  return (
    <form
      noValidate
      className="flex flex-col gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <PromptBox
        field={field}
        draft={draft}
        change={change}
        context={context}
        project={project}
        host={host}
        model={model}
        ownMachine={ownMachine?.name ?? null}
        isInvalid={problems.text !== undefined}
        isStarting={start.isPending}
        onSubmit={submit}
      />
      {problems.text !== undefined && draft.text.trim() === "" && (
        <p role="alert" className="text-label text-bad">
          {problems.text}
        </p>
      )}
      {hint !== null && <Callout tone="warn">{hint}</Callout>}
      {host === "direct" && <p className="px-1 text-label text-fg-2">{t.directHint}</p>}
      <Suspense fallback={null}>
        {ownMachine !== null && <OwnMachineNote machine={ownMachine.name} usesLogin={model === LOGIN_MODEL} />}
      </Suspense>
      {start.isError && <StartProblem error={start.error} />}
      {isNewProject && projects !== undefined && (
        <Suspense fallback={<div className="h-40" />}>
          <NewProjectFields draft={draft} change={change} problems={problems} allowsPaths={context.allowsPaths} />
        </Suspense>
      )}
      {/* As high as what comes: nothing moves. */}
      <Suspense fallback={<div className="min-h-7 pointer-coarse:min-h-11" />}>
        <MoreOptions
          draft={draft}
          change={change}
          problems={problems}
          host={host}
          projectTrust={project?.trustProject ?? false}
          budgetUsd={context.budgetUsd}
        />
      </Suspense>
      {withExamples && draft.text === "" && <Examples onPick={(text) => change({ text })} />}
    </form>
  );
}

function Examples({ onPick }: { onPick: (text: string) => void }) {
  return (
    <section aria-label={t.examplesTitle} className="mt-2">
      <h2 className="mb-1 text-label font-medium text-fg-3">{t.examplesTitle}</h2>
      <ul className="flex flex-col">
        {t.examples.map((example) => (
          <li key={example}>
            <button
              type="button"
              onClick={() => onPick(example)}
              className="w-full rounded-control px-2 py-1.5 text-left text-fg-2 hover:bg-hover hover:text-fg pointer-coarse:min-h-11 pointer-coarse:text-body"
            >
              {example}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
