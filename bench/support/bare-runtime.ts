/**
 * The Worker on workerd with nothing before it: no development server, no proxy, no assets, by a socket of its own. What a benchmark of
 * the Worker's own cost talks to; its bindings are the deployed ones, with D1, R2 and Durable Objects of the local runtime.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { unstable_getMiniflareWorkerOptions } from "wrangler";
import { ensureSecrets } from "../../scripts/start/secrets.ts";
import { build, root } from "../../scripts/start/server.ts";

export interface BareRuntime {
  url: string;
  close(): Promise<void>;
}

export async function startBareRuntime(environment: Record<string, string>): Promise<BareRuntime> {
  build();
  const dataDir = mkdtempSync(path.join(os.tmpdir(), "adp-bench-"));
  const { secrets } = ensureSecrets(dataDir);
  const { workerOptions } = unstable_getMiniflareWorkerOptions(path.join(root, "wrangler.toml"), undefined, {
    overrides: { enableContainers: false },
  });
  const { assets: _none, bindings, ...rest } = workerOptions;
  const vars = typeof bindings === "object" ? bindings : {};
  const runtime = new Miniflare(
    convertV4MiniflareOptions({
      defaultPersistRoot: path.join(dataDir, "state"),
      workers: [
        {
          ...rest,
          name: "ai-dev-platform",
          modules: [{ type: "ESModule", path: path.join(root, "dist/worker/index.js") }],
          modulesRoot: root,
          bindings: { ...vars, ...secrets, PUBLIC_ORIGIN: "", SIGN_UP: "open", SANDBOXES: "off", ...environment },
          unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
        },
      ],
    }),
  );
  await runtime.ready;
  await migrate(await runtime.getD1Database("DB"));
  const url = (await runtime.unsafeGetDirectURL("ai-dev-platform")).origin;
  return {
    url,
    async close() {
      await runtime.dispose();
      rmSync(dataDir, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    },
  };
}

async function migrate(database: Awaited<ReturnType<Miniflare["getD1Database"]>>): Promise<void> {
  const folder = path.join(root, "migrations");
  const files = readdirSync(folder).filter((name) => name.endsWith(".sql"));
  for (const file of files.toSorted()) {
    const statements = readFileSync(path.join(folder, file), "utf8").split("--> statement-breakpoint");
    await database.batch(statements.map((statement) => database.prepare(statement)));
  }
}
