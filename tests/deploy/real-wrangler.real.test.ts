/** Deployments by the real wrangler, with Cloudflare's API stood in for: what is really uploaded, from the committed files. */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { deploy } from "../../scripts/deploy/deploy.ts";
import { runTool, type Wrangler } from "../../scripts/deploy/wrangler.ts";
import { toolEnvironment } from "../../scripts/start/server.ts";
import { ACCOUNT_ID, type Cloud, startCloud } from "./cloudflare-api.ts";

const repository = path.join(import.meta.dirname, "../..");
const SOURCES = [
  "wrangler.toml",
  "package.json",
  "package-lock.json",
  "worker",
  "protocol",
  "frontend",
  "agent",
  "migrations",
  "pages",
  "scripts",
  "vite.config.ts",
  "tsconfig.base.json",
  "LICENSE",
  "docs",
];
const TOKEN = "token-of-the-deployment-test";

const SEALED_KEY = `INSERT INTO provider_keys (key_id, user_id, provider, fmt, kek_id, row_version, last4, fp, status, models, is_active, created_at, checked_at)
  VALUES ('k', 'u', 'anthropic', 1, 'kek-2026-01', 1, 'AAAA', 'f', 'working', '[]', 1, 1, 1)`;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), "deploy-real-"));
  for (const source of SOURCES)
    cpSync(path.join(repository, source), path.join(folder, source), {
      recursive: true,
      filter: (file) => path.basename(file) !== "node_modules",
    });
  symlinkSync(path.join(repository, "node_modules"), path.join(folder, "node_modules"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function wranglerFor(cloud: Cloud): Wrangler {
  const env = {
    ...toolEnvironment(),
    HOME: path.join(folder, "home"),
    CLOUDFLARE_API_BASE_URL: cloud.url,
    CLOUDFLARE_API_TOKEN: TOKEN,
    CLOUDFLARE_ACCOUNT_ID: ACCOUNT_ID,
  };
  return (args, options) =>
    runTool([process.execPath, path.join(folder, "node_modules/wrangler/bin/wrangler.js"), ...args], { cwd: folder, ...options, env });
}

const bindingsOf = (cloud: Cloud, worker: string) => cloud.account.workers.get(worker)?.metadata?.bindings ?? [];

describe("wrangler deploy alone", () => {
  it("builds and serves the web app, and makes what the account lacks by its name", async () => {
    const cloud = await startCloud();
    try {
      const result = await wranglerFor(cloud)(["deploy", "--containers-rollout", "none"]);
      expect(result.output).toContain("Deployed ai-dev-platform");
      expect(existsSync(path.join(folder, "dist/client/index.html"))).toBe(true);
      const [database] = cloud.account.databases;
      expect(cloud.account.buckets).toEqual(["ai-dev-platform"]);
      expect(bindingsOf(cloud, "ai-dev-platform")).toEqual(
        expect.arrayContaining([
          expect.objectContaining({ name: "DB", type: "d1", id: database?.uuid }),
          expect.objectContaining({ name: "BUCKET", type: "r2_bucket", bucket_name: "ai-dev-platform" }),
          expect.objectContaining({ name: "ASSETS", type: "assets" }),
        ]),
      );
      expect(readFileSync(path.join(folder, "wrangler.toml"), "utf8")).toBe(readFileSync(path.join(repository, "wrangler.toml"), "utf8"));
    } finally {
      await cloud.close();
    }
  });
});

describe("npm run deploy", () => {
  it("sets up an account from nothing, then only uploads", async () => {
    const cloud = await startCloud();
    const run = async (argv: string[]) => {
      const said: string[] = [];
      const code = await deploy(argv, {
        root: folder,
        environment: {},
        wrangler: wranglerFor(cloud),
        docker: async () => "missing",
        chosenAccount: ACCOUNT_ID,
        say: (line) => said.push(line),
        build: async () => void execFileSync(process.execPath, ["scripts/build-web.mjs"], { cwd: folder, stdio: "pipe" }),
        now: () => new Date(),
      });
      return { code, said: said.join("\n") };
    };
    try {
      const first = await run(["--name", "code-room", "--no-sandbox"]);
      expect(first.said).toContain("https://code-room.mara.workers.dev");
      expect(first.said).toContain("https://code-room-web.pages.dev");
      expect(first.code).toBe(0);
      const { databases, buckets, workers, pages } = cloud.account;
      const secrets = new Map(workers.get("code-room")?.secrets);
      expect([...secrets.keys()].toSorted()).toEqual(["AUTH_SECRET", "KEY_ENCRYPTION", "KEY_FINGERPRINT"]);
      expect(databases.map(({ name }) => name)).toEqual(["code-room"]);
      expect(databases[0]?.sql.prepare("SELECT COUNT(*) AS users FROM auth_users").get()).toEqual({ users: 0 });
      expect(buckets).toEqual(["code-room"]);
      const [uploaded = ""] = pages.get("code-room-web")?.deployments ?? [];
      expect(uploaded).toContain("_routes.json");
      expect(uploaded).toContain("/api/*");
      expect(uploaded).toContain("WORKER");
      const second = await run(["--name", "code-room", "--no-sandbox"]);
      expect(second.said).toContain("Deployed.");
      expect(second.code).toBe(0);
      expect(second.said).not.toMatch(/Create|Make and set/);
      expect(databases).toHaveLength(1);
      expect(workers.get("code-room")?.secrets).toEqual(secrets);
      // The Worker is gone and its secrets with it, while the database holds a sealed key: nothing is overwritten.
      databases[0]?.sql.exec(SEALED_KEY);
      workers.delete("code-room");
      const third = await run(["--name", "code-room", "--no-sandbox", "--no-pages"]);
      expect(third).toMatchObject({ code: 1, said: expect.stringContaining("1 sealed value ") as string });
      expect(workers.has("code-room")).toBe(false);
      const said = first.said + second.said + third.said;
      for (const secret of [TOKEN, ...secrets.values()]) expect(said).not.toContain(secret);
    } finally {
      await cloud.close();
    }
  });
});
