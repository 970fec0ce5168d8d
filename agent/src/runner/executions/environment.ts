/**
 * A program's environment, built from nothing as the agent's is, but without anything to call a model with (SPEC EX8). Pure.
 * What a request adds is no part of it: it reaches the program past the launcher, which still has the runner's rights.
 */
import { INHERITED } from "../claude/environment.ts";

/** By this the program's processes are found again, also those that left its group. */
export const MARK = "AI_DEV_EXECUTION";

type Parent = Readonly<Record<string, string | undefined>>;

export function executionEnvironment(
  parent: Parent,
  account: Readonly<Record<string, string>>,
  root: string,
  executionId: string,
): Record<string, string> {
  const inherited = INHERITED.flatMap((name): [string, string][] => {
    const value = parent[name];
    return value === undefined ? [] : [[name, value]];
  });
  return {
    LANG: "C.UTF-8",
    ...Object.fromEntries(inherited),
    ...account,
    PWD: root,
    // Its code lies elsewhere; the workspace's modules are found, and nothing is left beside them.
    PYTHONPATH: root,
    PYTHONDONTWRITEBYTECODE: "1",
    // Seen as it is written, not when a buffer is full.
    PYTHONUNBUFFERED: "1",
    [MARK]: executionId,
  };
}
