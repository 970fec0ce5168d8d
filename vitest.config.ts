import path from "node:path";
import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-pool-workers";
import { defineConfig } from "vitest/config";

// No network is needed: the local runtime would otherwise fetch a placeholder for Request.cf.
process.env.CLOUDFLARE_CF_FETCH_ENABLED ??= "false";

const at = (relative: string) => path.join(import.meta.dirname, relative);
/** 32 bytes of test key material, base64. Never used outside tests. */
const TEST_SECRET = Buffer.alloc(32, 7).toString("base64");

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["{protocol,agent,worker,frontend,scripts}/**/*.test.ts", "tests/{architecture,deploy,faults}/**/*.test.ts"],
          exclude: ["**/node_modules/**", "dist/**", "**/*.real.test.ts"],
        },
      },
      {
        plugins: [
          cloudflareTest(async () => ({
            main: "./tests/support/worker/main.ts",
            additionalExports: { ContainerProxy: "WorkerEntrypoint" },
            wrangler: { configPath: "./wrangler.toml" },
            remoteBindings: false,
            miniflare: {
              bindings: {
                TEST_MIGRATIONS: await readD1Migrations(at("migrations")),
                PUBLIC_ORIGIN: "http://app.test",
                ANTHROPIC_UPSTREAM: "http://upstream.test",
                DEMO_MODEL_URL: "http://demo.test",
                SIGN_UP: "open",
                LOCAL_PATHS: "true",
                SANDBOXES: "off",
                AUTH_SECRET: TEST_SECRET,
                KEY_ENCRYPTION: `kek-2026-01:${TEST_SECRET}`,
                KEY_FINGERPRINT: TEST_SECRET,
                MACHINE_TOKEN: "test-machine-token",
              },
              // Every outbound fetch of the Worker ends in this scripted stand-in; nothing leaves the machine.
              outboundService: async (request: Request) => (await import("./tests/support/node/upstream.ts")).answer(request),
            },
          })),
        ],
        // One isolate for all files; storage is wiped per file by the setup.
        test: { name: "worker", include: ["tests/worker/**/*.test.ts"], setupFiles: ["./tests/support/worker/setup.ts"], isolate: false },
      },
      // Real processes: the local runtime, the runner, the agent's binary, a browser. One file at a time on a small machine.
      {
        test: {
          name: "e2e",
          include: ["agent/src/**/*.real.test.ts", "worker/**/*.real.test.ts", "tests/e2e/**/*.test.ts", "tests/faults/**/*.real.test.ts"],
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 180_000,
        },
      },
      {
        test: {
          name: "deploy",
          include: ["tests/deploy/**/*.real.test.ts"],
          fileParallelism: false,
          // Some thirty runs of wrangler, one after the other.
          testTimeout: 600_000,
          hookTimeout: 180_000,
        },
      },
      // Real containers; prepared and called by `npm run test:container`.
      {
        test: {
          name: "container",
          include: ["tests/container/**/*.test.ts"],
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 300_000,
        },
      },
      {
        test: {
          name: "browser",
          include: ["tests/browser/**/*.test.ts"],
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});
