/** `npm run deploy` from an empty account to a running platform, against a stand-in for wrangler that keeps the account. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { deploy } from "../../scripts/deploy/deploy.ts";
import type { DockerState } from "../../scripts/deploy/plan.ts";
import { runTool, type Wrangler } from "../../scripts/deploy/wrangler.ts";
import { type Account, answer, newAccount } from "./fake-wrangler.ts";

const repository = path.join(import.meta.dirname, "../..");
const STEPS = ["d1 create", "r2 bucket create", "d1 migrations apply", "deploy", "secret bulk", "pages project create", "pages deploy"];
let root: string;

beforeEach(() => {
  root = mkdtempSync(path.join(os.tmpdir(), "deploy-test-"));
  cpSync(path.join(repository, "wrangler.toml"), path.join(root, "wrangler.toml"));
  cpSync(path.join(repository, "pages/functions"), path.join(root, "pages/functions"), { recursive: true });
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

interface Run {
  code: number;
  said: string;
  calls: string[];
}

async function build(): Promise<void> {
  mkdirSync(path.join(root, "dist/client"), { recursive: true });
  writeFileSync(path.join(root, "dist/client/index.html"), "<!doctype html>");
}

async function run(
  account: Account,
  argv: string[] = [],
  docker: DockerState = "ready",
  environment: NodeJS.ProcessEnv = {},
): Promise<Run> {
  const said: string[] = [];
  const calls: string[] = [];
  const wrangler: Wrangler = async (args, options = {}) => {
    calls.push(args.join(" "));
    const { code, stdout = "", stderr = "" } = answer(account, { args, input: options.input ?? "", cwd: options.cwd ?? root });
    return { ok: code === 0, stdout, output: stdout + stderr };
  };
  const code = await deploy(argv, {
    root,
    environment,
    wrangler,
    docker: async () => docker,
    chosenAccount: environment["CLOUDFLARE_ACCOUNT_ID"] ?? null,
    say: (line) => said.push(line),
    build,
    now: () => new Date("2026-11-21T00:00:00Z"),
  });
  return { code, said: said.join("\n"), calls };
}

const changing = (calls: string[]) => calls.filter((call) => STEPS.some((step) => call.startsWith(step)));

describe("a new account", () => {
  it("gets database, bucket, migrations, Worker, secrets and Pages, in this order", async () => {
    const account = newAccount();
    const { code, said, calls } = await run(account);
    expect(said).toContain("https://ai-dev-platform.mara.workers.dev");
    expect(said).toContain("https://ai-dev-platform-web.pages.dev");
    expect(code).toBe(0);
    expect(changing(calls).map((call) => STEPS.find((step) => call.startsWith(step)))).toEqual(STEPS);
    expect(account.databases).toMatchObject([{ name: "ai-dev-platform", migrated: true }]);
    expect(Object.keys(account.workers["ai-dev-platform"]?.secrets ?? {})).toEqual(["AUTH_SECRET", "KEY_ENCRYPTION", "KEY_FINGERPRINT"]);
    expect(account.workers["ai-dev-platform"]?.secrets["KEY_ENCRYPTION"]).toMatch(/^kek-2026-11:[A-Za-z0-9+/]{43}=$/);
    expect(account.pages["ai-dev-platform-web"]).toMatchObject({
      files: ["site/index.html", "site/_routes.json", "functions/[[path]].ts"],
      config: { services: [{ binding: "WORKER", service: "ai-dev-platform" }] },
    });
  });

  it("leaves the committed configuration as it is", async () => {
    const before = readFileSync(path.join(root, "wrangler.toml"), "utf8");
    await run(newAccount());
    expect(readFileSync(path.join(root, "wrangler.toml"), "utf8")).toBe(before);
  });

  it("takes another name, a domain, and no sandbox, all in the one configuration that is used", async () => {
    const account = newAccount({ containersAllowed: false });
    const { code, said } = await run(account, ["--name", "code-room", "--domain", "code.example.com", "--no-sandbox"], "missing");
    expect(code).toBe(0);
    expect(said).toContain("https://code.example.com");
    expect(said).toContain("MACHINE_TOKEN --name code-room");
    expect(account.workers["code-room"]?.config).toMatchObject({
      name: "code-room",
      vars: { SANDBOXES: "off" },
      routes: [{ pattern: "code.example.com", custom_domain: true }],
      d1_databases: [{ database_name: "code-room", database_id: account.databases[0]?.uuid }],
      r2_buckets: [{ bucket_name: "code-room" }],
    });
    expect(account.workers["code-room"]?.config).not.toHaveProperty("containers");
    expect(account.pages["code-room-web"]).toMatchObject({ config: { services: [{ service: "code-room" }] } });
  });

  it("shows the plan and changes nothing in a dry run", async () => {
    const account = newAccount();
    const before = structuredClone(account);
    const { code, said, calls } = await run(account, ["--dry-run"]);
    expect(code).toBe(0);
    expect(said).toContain("1. Create the D1 database ai-dev-platform");
    expect(said).toContain("nothing was changed");
    expect(changing(calls)).toEqual([]);
    expect(account).toEqual(before);
    expect(readdirSync(root).toSorted()).toEqual(["pages", "wrangler.toml"]);
  });

  it("leaves Pages to people in a build of Cloudflare's own, whose token is for the Worker", async () => {
    const account = newAccount();
    expect((await run(account, [], "ready", { WORKERS_CI: "1" })).code).toBe(0);
    expect(account.pages).toEqual({});
  });
});

describe("run again", () => {
  it("only uploads: no second database, bucket or project, and no secret touched", async () => {
    const account = newAccount();
    await run(account);
    const { secrets } = structuredClone(account.workers["ai-dev-platform"]) ?? {};
    const { code, calls } = await run(account);
    expect(code).toBe(0);
    expect(changing(calls).map((call) => call.split(" --")[0])).toEqual(["d1 migrations apply DB", "deploy", "pages deploy"]);
    expect(account.workers["ai-dev-platform"]?.secrets).toEqual(secrets);
  });

  it.each(STEPS)("goes on where `%s` failed", async (step) => {
    const account = newAccount({ breaksAt: step });
    const first = await run(account);
    expect(first.code).toBe(1);
    expect(first.said).toContain("internal error [code: 7500]");
    expect(first.said).toContain("run this again and it goes on from here");
    expect(first.calls.at(-1)).toMatch(new RegExp(`^${step}`));
    const kept = structuredClone(account.workers["ai-dev-platform"]?.secrets ?? {});
    account.breaksAt = null;
    expect((await run(account)).code).toBe(0);
    expect(account.databases).toHaveLength(1);
    expect(account.workers["ai-dev-platform"]?.secrets).toMatchObject(kept);
    expect(Object.keys(account.workers["ai-dev-platform"]?.secrets ?? {})).toHaveLength(3);
    expect(Object.keys(account.pages)).toEqual(["ai-dev-platform-web"]);
  });

  it.each(["whoami", "d1 list", "r2 bucket list", "secret list", "pages project list"])(
    "changes nothing when `%s` cannot be asked",
    async (question) => {
      const account = newAccount({ breaksAt: question });
      const { code, said, calls } = await run(account);
      expect(code).toBe(1);
      expect(said).toContain("internal error");
      expect(said).toContain("Nothing was changed.");
      expect(changing(calls)).toEqual([]);
    },
  );
});

describe("the key-encryption key", () => {
  const deployed = async (sealed: number): Promise<Account> => {
    const account = newAccount();
    await run(account);
    for (const database of account.databases) database.sealed = sealed;
    return account;
  };

  it("is not replaced over keys that it has sealed", async () => {
    const account = await deployed(2);
    account.workers = {};
    const { code, said, calls } = await run(account);
    expect(code).toBe(1);
    expect(said).toContain("2 sealed values");
    expect(said).toContain("wrangler secret put KEY_ENCRYPTION --name ai-dev-platform");
    expect(changing(calls)).toEqual([]);
  });

  it("is made anew when its owner gives those keys up", async () => {
    const account = await deployed(1);
    account.workers = {};
    expect((await run(account, ["--new-key-encryption"])).code).toBe(0);
    expect(account.workers["ai-dev-platform"]?.secrets["KEY_ENCRYPTION"]).toBeDefined();
  });

  it("stays when it is there, also with --new-key-encryption", async () => {
    const account = await deployed(1);
    const before = account.workers["ai-dev-platform"]?.secrets["KEY_ENCRYPTION"];
    await run(account, ["--new-key-encryption"]);
    expect(account.workers["ai-dev-platform"]?.secrets["KEY_ENCRYPTION"]).toBe(before);
  });

  it("and another new secret reach a running Worker before its new code does", async () => {
    const account = await deployed(0);
    delete account.workers["ai-dev-platform"]?.secrets["KEY_FINGERPRINT"];
    const { calls } = await run(account);
    const order = changing(calls).map((call) => call.split(" ")[0]);
    expect(order.indexOf("secret")).toBeLessThan(order.indexOf("deploy"));
  });
});

describe("what is missing", () => {
  const expectRefusal = async (account: Account, sentence: RegExp, ...rest: [argv?: string[], docker?: DockerState]) => {
    const { code, said, calls } = await run(account, ...rest);
    expect(said).toMatch(sentence);
    expect(code).toBe(1);
    expect(changing(calls)).toEqual([]);
  };
  it("is a sign-in", () => expectRefusal(newAccount({ loggedIn: false }), /not signed in to Cloudflare. Run npx wrangler login/));
  it("is a choice among accounts", () =>
    expectRefusal(
      newAccount({
        accounts: [
          { id: "1", name: "Own" },
          { id: "2", name: "Work" },
        ],
      }),
      /export CLOUDFLARE_ACCOUNT_ID=<id>\n {2}1 {2}Own\n {2}2 {2}Work/,
    ));
  it("is R2", () => expectRefusal(newAccount({ r2Enabled: false }), /Enable it once at dash\.cloudflare\.com/));
  it("is the paid plan", () => expectRefusal(newAccount({ containersAllowed: false }), /Workers Paid plan/));
  it("is Docker", () => expectRefusal(newAccount(), /Docker is not installed/, [], "missing"));
  it("is a running Docker", () => expectRefusal(newAccount(), /Docker does not answer: start it/, [], "stopped"));
  it("is a usable name", () => expectRefusal(newAccount(), /--name takes 3 to 50/, ["--name", "Not A Name"]));
  it("is nothing where one account of several was chosen", async () => {
    const account = newAccount({
      accounts: [
        { id: "1", name: "Own" },
        { id: "2", name: "Work" },
      ],
    });
    expect((await run(account, [], "ready", { CLOUDFLARE_ACCOUNT_ID: "2" })).code).toBe(0);
  });
  it("is a first image to keep", () => expectRefusal(newAccount(), /Run this without --no-image/, ["--no-image"]));
  it("is not Docker when the image stays as it is", async () => {
    const account = newAccount();
    await run(account);
    const { code, calls } = await run(account, ["--no-image"], "missing");
    expect(code).toBe(0);
    expect(calls.find((call) => call.startsWith("deploy"))).toContain("--containers-rollout none");
  });
});

it("keeps every secret out of arguments, output and files, across real processes", { timeout: 60_000 }, async () => {
  const file = path.join(root, "account.json");
  writeFileSync(file, JSON.stringify(newAccount()));
  const said: string[] = [];
  const environment = { ...process.env, FAKE_ACCOUNT: file };
  const fake = path.join(import.meta.dirname, "fake-wrangler.ts");
  const code = await deploy([], {
    root,
    environment: {},
    wrangler: (args, options) => runTool([process.execPath, fake, ...args], { cwd: root, ...options, env: environment }),
    docker: async () => "ready",
    chosenAccount: null,
    say: (line) => said.push(line),
    build,
    now: () => new Date(),
  });
  expect(said.join("\n")).toContain("Deployed.");
  expect(code).toBe(0);
  const account = JSON.parse(readFileSync(file, "utf8")) as Account;
  const secrets = Object.values(account.workers["ai-dev-platform"]?.secrets ?? {});
  expect(secrets).toHaveLength(3);
  rmSync(file);
  const written = readdirSync(root, { recursive: true, encoding: "utf8" })
    .map((name) => path.join(root, name))
    .filter((name) => statSync(name).isFile())
    .map((name) => readFileSync(name, "utf8"));
  const places = [...said, ...written].join("\n");
  for (const secret of secrets) for (const part of secret.split(":")) if (part.length > 20) expect(places).not.toContain(part);
});
