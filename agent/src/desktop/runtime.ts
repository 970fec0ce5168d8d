/**
 * What a packaged program unpacks and fetches before it can be a whole platform: its own copy of Worker and web app, and the
 * Workers runtime, by the person's npm. One folder for each version of this program; the data lies beside it and stays.
 */
import { cpSync, existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { AGENT_PACKAGE_VERSION } from "../config.ts";
import { fetchPackages } from "../machine/agent-kit.ts";

/** The same as in the repository's package.json. It pins the runtime itself. */
export const RUNTIME_PACKAGE = "wrangler@4.155.0";

export interface Runtime {
  folder: string;
  isReady: boolean;
}

const READY = "ready";

export function planRuntime(dataDir: string): Runtime {
  const folder = path.join(dataDir, `runtime-${AGENT_PACKAGE_VERSION}`);
  return { folder, isReady: existsSync(path.join(folder, READY)) };
}

/** Null, or npm's words. What was begun before is begun again; what an older version left is removed at the end. */
export async function prepareRuntime(dataDir: string, platformFolder: string): Promise<string | null> {
  const { folder } = planRuntime(dataDir);
  cpSync(platformFolder, folder, { recursive: true });
  const isThere = existsSync(path.join(folder, "node_modules", "wrangler", "package.json"));
  const problem = isThere ? null : await fetchPackages(folder, [RUNTIME_PACKAGE]);
  if (problem !== null) return problem;
  writeFileSync(path.join(folder, READY), "");
  for (const name of readdirSync(dataDir))
    if (name.startsWith("runtime-") && name !== path.basename(folder)) rmSync(path.join(dataDir, name), { recursive: true, force: true });
  return null;
}
