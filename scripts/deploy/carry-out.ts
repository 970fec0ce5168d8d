/** Carries out one step of a plan. Each may be done again: what exists is found by the next look at the account. */
import { writeFileSync } from "node:fs";
import path from "node:path";
import * as z from "zod";
import { makeSecrets } from "../start/secrets.ts";
import { DeployError } from "./account.ts";
import { DEPLOY_CONFIG, deployConfig, type SourceConfig } from "./config-file.ts";
import type { DeployOptions } from "./options.ts";
import { assemblePages } from "./pages-folder.ts";
import { describeStep, type Names, type RequiredSecret, type Step } from "./plan.ts";
import { explain, type RunOptions, type ToolResult, type Wrangler } from "./wrangler.ts";

export interface Workshop {
  root: string;
  source: SourceConfig;
  names: Names;
  options: DeployOptions;
  wrangler: Wrangler;
  build(): Promise<void>;
  now(): Date;
}

/** What is learned on the way. */
export interface Findings {
  databaseId: string | null;
  workerUrl: string | null;
  pagesUrl: string | null;
}

export async function carryOut(step: Step, shop: Workshop, findings: Findings): Promise<Findings> {
  const run = async (args: string[], options?: RunOptions): Promise<ToolResult> => {
    const result = await shop.wrangler(args, options);
    if (!result.ok) throw new DeployError(`${describeStep(step)}: this failed. ${explain(result.output)}`);
    return result;
  };
  switch (step.kind) {
    case "create_database":
      await run(["d1", "create", step.name]);
      return { ...findings, databaseId: await findCreated(shop, step.name) };
    case "create_bucket":
      await run(["r2", "bucket", "create", step.name]);
      return findings;
    case "build":
      await shop.build();
      return findings;
    case "apply_migrations":
      writeConfig(shop, findings);
      await run(["d1", "migrations", "apply", "DB", "--remote", "--config", DEPLOY_CONFIG]);
      return findings;
    case "set_secrets":
      await run(["secret", "bulk", "--name", shop.names.worker], { input: JSON.stringify(chosenSecrets(step.names, shop.now())) });
      return findings;
    case "deploy_worker": {
      writeConfig(shop, findings);
      const rollout = step.image === "keep" ? ["--containers-rollout", "none"] : [];
      return { ...findings, workerUrl: addressIn((await run(["deploy", "--config", DEPLOY_CONFIG, ...rollout])).output, "workers.dev") };
    }
    case "create_pages_project":
      await run(["pages", "project", "create", step.name, "--production-branch", PRODUCTION, "--force"]);
      return findings;
    case "deploy_pages": {
      const cwd = assemblePages(shop.root, shop.source, shop.names);
      const args = ["pages", "deploy", "--project-name", step.name, "--branch", PRODUCTION, "--commit-dirty", "--force"];
      const address = addressIn((await run(args, { cwd })).output, "pages.dev");
      return { ...findings, pagesUrl: address === null ? null : projectAddress(address) };
    }
  }
}

const PRODUCTION = "main";
const createdSchema = z.array(z.object({ uuid: z.string(), name: z.string() }));

async function findCreated({ wrangler }: Workshop, name: string): Promise<string> {
  const result = await wrangler(["d1", "list", "--json"]);
  const list = createdSchema.safeParse(result.ok ? JSON.parse(result.stdout.slice(Math.max(0, result.stdout.indexOf("[")))) : null);
  const id = list.data?.find((database) => database.name === name)?.uuid;
  if (id === undefined) throw new DeployError(`The database ${name} was created but is not listed yet. Wait a minute and run this again.`);
  return id;
}

function writeConfig({ root, source, names, options }: Workshop, { databaseId }: Findings): void {
  if (databaseId === null) throw new Error("A database comes before its configuration.");
  const { domain, sandbox } = options;
  const config = deployConfig(source, { names, databaseId, sandbox, domain });
  writeFileSync(path.join(root, DEPLOY_CONFIG), `${JSON.stringify(config, null, 2)}\n`);
}

/** Made here, handed over, and gone: nothing on this computer keeps them. */
function chosenSecrets(names: RequiredSecret[], now: Date): Record<string, string> {
  const made = makeSecrets(now);
  return Object.fromEntries(names.map((name) => [name, made[name]]));
}

const addressIn = (output: string, suffix: string): string | null =>
  new RegExp(String.raw`https://[\w.-]+\.${suffix.replace(".", String.raw`\.`)}`).exec(output)?.[0] ?? null;

/** A deployment's own address, https://0a1b2c3d.project.pages.dev, without its number. */
const projectAddress = (address: string): string => address.replace(/^https:\/\/[0-9a-f]{8}\./, "https://");
