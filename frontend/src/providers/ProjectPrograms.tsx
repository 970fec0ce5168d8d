/** A project as programs see it: the names they call it by, and which model answers when no agent is asked for. */
import type { Provider } from "@ai-dev-platform/protocol/api/providers";
import type { ProjectBody } from "@ai-dev-platform/protocol/http";
import { useId, useState, type FormEvent } from "react";
import { Link } from "wouter";
import { useConfig } from "../auth/use-me.ts";
import { CommandLine } from "../machines/CommandLine.tsx";
import { useProjectActions } from "../projects/use-projects.ts";
import { paths } from "../routes.ts";
import { problemOf } from "../settings/problem-of.ts";
import { useKeys } from "../settings/use-settings.ts";
import { Button } from "../ui/button.tsx";
import { Callout } from "../ui/callout.tsx";
import { Select } from "../ui/select.tsx";
import { TextField } from "../ui/text-field.tsx";
import { toast } from "../ui/toast.ts";
import { t } from "./messages.ts";

export default function ProjectPrograms({ project }: { project: ProjectBody }) {
  const features = useConfig().data?.features;
  if (features?.api !== true) return null;
  const names = [
    { name: `project:${project.projectId}`, words: t.project.direct },
    ...(features.agent ? [{ name: `agent:${project.projectId}`, words: t.project.agent }] : []),
  ];
  return (
    <section aria-label={t.project.title} className="flex max-w-[560px] flex-col gap-3 px-2">
      <h2 className="text-label font-medium text-fg-3">{t.project.title}</h2>
      <p className="text-fg-2">{t.project.about}</p>
      <ul className="flex flex-col gap-3">
        {names.map(({ name, words }) => (
          <li key={name}>
            <p className="mb-1 text-label text-fg-2">{words}</p>
            <CommandLine command={name} />
          </li>
        ))}
      </ul>
      <ChooseModel key={JSON.stringify(project.model)} project={project} providers={features.providers} />
    </section>
  );
}

/** Of the first of the choices: no choice. */
const ANY = "";

function ChooseModel({ project, providers }: { project: ProjectBody; providers: readonly Provider[] }) {
  const listId = useId();
  const { patch } = useProjectActions();
  const keys = useKeys();
  const [provider, setProvider] = useState<Provider | typeof ANY>(project.model?.provider ?? ANY);
  const [model, setModel] = useState(project.model?.model ?? "");
  const [problem, setProblem] = useState<string | undefined>();
  const stored = keys.data?.find((key) => key.isActive && key.provider === provider);
  const wanted = provider === ANY ? null : { provider, model: model.trim() };
  const isSame = wanted?.provider === project.model?.provider && wanted?.model === project.model?.model;
  const save = (event: FormEvent) => {
    event.preventDefault();
    setProblem(wanted?.model === "" ? t.project.problem : undefined);
    if (wanted?.model === "") return;
    patch.mutate({ projectId: project.projectId, model: wanted }, { onSuccess: () => toast(t.project.saved) });
  };
  const choose = (value: string) => {
    setProvider(providers.find((known) => known === value) ?? ANY);
    setProblem(undefined);
    // Another provider's name for a model means nothing here.
    setModel(value === project.model?.provider ? project.model.model : "");
  };
  return (
    <form onSubmit={save} noValidate className="flex flex-col gap-3">
      <div className="grid items-start gap-3 md:grid-cols-2">
        <Select
          label={t.project.provider}
          value={provider}
          onChange={choose}
          options={[{ value: ANY, label: t.project.anyAnthropic }, ...providers.map((value) => ({ value, label: t.names[value] }))]}
        />
        {provider !== ANY && (
          <TextField
            label={t.project.model}
            hint={t.project.modelHint}
            error={problem}
            value={model}
            list={listId}
            maxLength={200}
            autoCapitalize="off"
            autoCorrect="off"
            autoComplete="off"
            spellCheck={false}
            onChange={(event) => {
              setModel(event.target.value);
              setProblem(undefined);
            }}
          />
        )}
        <datalist id={listId}>
          {stored?.models.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </datalist>
      </div>
      {provider !== ANY && keys.isSuccess && stored === undefined && (
        <Callout tone="warn">
          {t.project.noKey(t.names[provider])}{" "}
          <Link href={paths.settings("api-key")} className="font-medium text-accent underline underline-offset-2">
            {t.project.addKey}
          </Link>
        </Callout>
      )}
      {patch.isError && (
        <Callout tone="bad" alert>
          {problemOf(patch.error)}
        </Callout>
      )}
      <Button type="submit" className="self-start" disabled={isSame || patch.isPending}>
        {t.project.save}
      </Button>
    </form>
  );
}
