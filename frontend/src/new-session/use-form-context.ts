/** What the new-session form must know about this person and this deployment. */
import { useConfig } from "../auth/use-me.ts";
import { useProjects } from "../projects/use-projects.ts";
import { activeKey, useKeys, useMachines, useSettings } from "../settings/use-settings.ts";
import { modelSourceOf } from "./form-options.ts";

export function useFormContext() {
  const projects = useProjects();
  const config = useConfig();
  const settings = useSettings();
  const keys = useKeys();
  const machines = useMachines();
  const key = activeKey(keys.data);
  const hasDemo = config.data?.demoModel === true;
  return {
    /** Undefined until known: "no project" may not be true before. */
    projects: projects.data,
    machines: machines.data,
    models: key?.models ?? [],
    hasDemo,
    hasSandbox: config.data?.sandbox === true,
    allowsPaths: config.data?.localPaths === true,
    budgetUsd: settings.data?.budgetUsd ?? null,
    prefersDemo: hasDemo && settings.data?.useDemoModel === true,
    modelSource: modelSourceOf({ useDemoModel: settings.data?.useDemoModel === true, hasKey: key !== null, hasDemo }),
  };
}

export type FormContext = ReturnType<typeof useFormContext>;
