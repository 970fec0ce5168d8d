/** Where npx finds the machine's program: a platform serves the version that belongs to it, beside its pages. */
import { useQuery } from "@tanstack/react-query";
import { queryClient } from "../query-client.ts";
import { commands, REGISTRY_NAME } from "./messages.ts";

const SERVED = /^ai-dev-agent-[\w.-]+\.tgz$/;

/** Null where none is served, as with a development server. */
async function findServed(): Promise<string | null> {
  const answer: unknown = await fetch("/ai-dev-agent.json").then(
    (response) => response.json(),
    () => null,
  );
  const file = typeof answer === "object" && answer !== null && "file" in answer ? answer.file : null;
  return typeof file === "string" && SERVED.test(file) ? `${location.origin}/${file}` : null;
}

/** What npx is given: the package's name in the registry until it is known what is served, and where nothing is. */
export function useProgram(): string {
  const { data } = useQuery({ queryKey: ["machine-program"], queryFn: findServed, staleTime: Infinity, retry: false }, queryClient);
  return data ?? REGISTRY_NAME;
}

export const useCommands = (): ReturnType<typeof commands> => commands(location.origin, useProgram());
