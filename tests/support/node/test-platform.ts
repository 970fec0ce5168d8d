/** A whole platform for one test file: its own data folder, port and scripted model. */
import { mkdtempSync, rmSync } from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { type ModelServer, startModelServer } from "../../../scripts/demo-model/server.ts";
import { type Platform, startPlatform } from "../../../scripts/start/platform.ts";
import { build } from "../../../scripts/start/server.ts";

export const TEST_KEY = "sk-ant-api03-e2e-CANARY-7f3a9c1e5b2d4860-0000000000000000AA";

export interface TestPlatform extends Platform {
  model: ModelServer;
  /** A folder for the test's own repositories and projects, which the machine may open. */
  scratch: string;
}

export const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const probe = net.createServer();
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });

export async function startTestPlatform(options: { paceMs?: number; demo?: boolean; machine?: boolean } = {}): Promise<TestPlatform> {
  build();
  const folder = mkdtempSync(path.join(os.tmpdir(), "adp-"));
  const scratch = mkdtempSync(path.join(os.tmpdir(), "adp-files-"));
  const model = await startModelServer({ port: 0, paceMs: options.paceMs ?? 0 });
  const platform = await startPlatform({
    port: await freePort(),
    dataDir: folder,
    demo: options.demo ?? false,
    machine: options.machine ?? true,
    environment: { ANTHROPIC_UPSTREAM: model.url },
    machineArguments: ["--allow-path", scratch],
  });
  const stop = platform.stop;
  return Object.assign(platform, {
    model,
    scratch,
    async stop() {
      await stop();
      await model.close();
      for (const dir of [folder, scratch]) rmSync(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    },
  });
}
