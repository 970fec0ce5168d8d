/** Which folders of this computer may be opened in place: the machine decides, the runner it starts obeys. */
import path from "node:path";

/** Separated like PATH. Without it, none. */
export const ALLOWED_PATHS_VARIABLE = "AI_DEV_AGENT_ALLOWED_PATHS";

export const allowedPathsFrom = (env: Readonly<Record<string, string | undefined>>): string[] =>
  (env[ALLOWED_PATHS_VARIABLE] ?? "").split(path.delimiter).filter((folder) => folder !== "");
