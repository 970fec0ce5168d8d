/** `npm run deploy` as a function of its surroundings: looks, plans, then does, step by step, stopping at the first failure. */
import path from "node:path";
import { type Looking, DeployError, readAccount } from "./account.ts";
import { carryOut, type Findings, type Workshop } from "./carry-out.ts";
import { namesOf, readSourceConfig } from "./config-file.ts";
import { type DeployOptions, parseOptions } from "./options.ts";
import { type AccountState, describeStep, makePlan, type Names, type Plan } from "./plan.ts";

export interface Surroundings extends Looking {
  root: string;
  environment: NodeJS.ProcessEnv;
  say(line: string): void;
  build(): Promise<void>;
  now(): Date;
}

function showPlan({ missing, steps }: Plan, say: (line: string) => void): void {
  say("\nThe plan:");
  for (const [index, step] of steps.entries()) say(`  ${index + 1}. ${describeStep(step)}`);
  if (missing.length > 0) say("\nWhat is missing first:");
  for (const sentence of missing) say(`  - ${sentence}`);
}

function closingWords(options: DeployOptions, names: Names, findings: Findings, state: AccountState): string[] {
  const own = options.domain === null ? null : `https://${options.domain}`;
  const addresses = [own, findings.workerUrl, findings.pagesUrl].filter((url) => url !== null);
  const lines = ["", "Deployed.", ...addresses.map((url) => `  ${url}`)];
  lines.push("", "The first account made there is the owner's; sign-up then closes (SIGN_UP in wrangler.toml). Make yours now.");
  if (!(state.secrets?.includes("MACHINE_TOKEN") ?? false) && !options.sandbox)
    lines.push(
      `Sessions need a machine: choose a long random token, set it with npx wrangler secret put MACHINE_TOKEN --name ${names.worker}, and connect one (docs/deploy.md, "Machines").`,
    );
  const target = own ?? findings.workerUrl;
  if (target !== null) lines.push(`Check it on the real network: npm run verify:deployed -- ${target}`);
  return lines;
}

async function perform(plan: Plan, shop: Workshop, state: AccountState, say: (line: string) => void): Promise<Findings> {
  let findings: Findings = { databaseId: state.databaseId, workerUrl: null, pagesUrl: null };
  for (const [index, step] of plan.steps.entries()) {
    say(`[${index + 1}/${plan.steps.length}] ${describeStep(step)} …`);
    findings = await carryOut(step, shop, findings);
  }
  return findings;
}

/** Returns the exit code. */
export async function deploy(argv: string[], around: Surroundings): Promise<number> {
  const { root, say, wrangler, build, now } = around;
  const parsed = parseOptions(argv, around.environment);
  if (!parsed.ok) {
    say(parsed.message);
    return parsed.exitCode;
  }
  const { options } = parsed;
  const source = readSourceConfig(path.join(root, "wrangler.toml"));
  const names = namesOf(source, options.name);
  let hasBegun = false;
  try {
    say(`Looking at the account for ${names.worker} …`);
    const state = await readAccount(around, options, names);
    const plan = makePlan(options, names, state);
    if (plan.missing.length > 0 || options.dryRun) {
      showPlan(plan, say);
      say(plan.missing.length > 0 ? "\nNothing was changed." : "\nA dry run: nothing was changed.");
      return plan.missing.length > 0 ? 1 : 0;
    }
    hasBegun = true;
    const findings = await perform(plan, { root, source, names, options, wrangler, build, now }, state, say);
    for (const line of closingWords(options, names, findings, state)) say(line);
    return 0;
  } catch (error) {
    if (!(error instanceof DeployError)) throw error;
    say(`\n${error.message}\n\n${hasBegun ? "What was done stays; run this again and it goes on from here." : "Nothing was changed."}`);
    return 1;
  }
}
