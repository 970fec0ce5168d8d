/**
 * The Worker on the local runtime without the development proxy in front of it. `wrangler dev` runs two runtimes, a proxy
 * and the Worker; a benchmark of the Worker's own cost talks to the second, found by asking each listening port.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { ensureSecrets } from "../../scripts/start/secrets.ts";
import { build, migrate, startServer } from "../../scripts/start/server.ts";

export interface DirectServer {
  url: string;
  proxiedUrl: string;
  machineToken: string;
  close(): Promise<void>;
}

const PORT = 18_790;

async function findDirectPort(): Promise<number> {
  const listening = execFileSync("ss", ["-ltnp"], { encoding: "utf8" })
    .split("\n")
    .filter((line) => line.includes("workerd"));
  for (const line of listening) {
    const port = Number(/127\.0\.0\.1:(\d+)/.exec(line)?.[1] ?? 0);
    if (port === 0 || port === PORT) continue;
    const response = await fetch(`http://127.0.0.1:${port}/api/config`, { signal: AbortSignal.timeout(2_000) }).catch(() => null);
    if (response?.ok === true && (await response.text()).includes("demoModel")) return port;
  }
  throw new Error("the Worker's own port was not found");
}

export async function startDirectServer(environment: Record<string, string>): Promise<DirectServer> {
  build();
  const dataDir = mkdtempSync(path.join(os.tmpdir(), "adp-bench-"));
  const { secrets } = ensureSecrets(dataDir);
  migrate(path.join(dataDir, "state"));
  const server = await startServer({
    port: PORT,
    dataDir,
    environment: { ...secrets, PUBLIC_ORIGIN: "", SIGN_UP: "open", LOCAL_PATHS: "true", DEMO_MODEL_URL: "", ...environment },
  });
  return {
    url: `http://127.0.0.1:${await findDirectPort()}`,
    proxiedUrl: server.url,
    machineToken: secrets.MACHINE_TOKEN,
    async close() {
      await server.stop();
      rmSync(dataDir, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
