/**
 * From what was asked for and what the account holds to what is missing and what to do, in order. Pure.
 * Invariants: a secret that exists is never set again; KEY_ENCRYPTION is never made anew over keys it has sealed;
 * a plan for an account that is up to date only uploads.
 */
import type { DeployOptions } from "./options.ts";

export interface Names {
  worker: string;
  database: string;
  bucket: string;
  pages: string;
}

export type DockerState = "ready" | "stopped" | "missing";

export interface AccountState {
  accounts: { id: string; name: string }[];
  /** The account to use; null when there are several and none was chosen. */
  accountId: string | null;
  databaseId: string | null;
  hasBucket: boolean;
  /** Null: there is no such Worker yet. */
  secrets: string[] | null;
  /** Values in the database that only KEY_ENCRYPTION opens. */
  sealedValues: number;
  hasPagesProject: boolean;
  /** Null: not looked at, the sandbox is off. */
  containers: { allowed: boolean; docker: DockerState } | null;
}

/** What the Worker cannot do without. MACHINE_TOKEN is the operator's to choose, because a computer must be told it. */
export const REQUIRED_SECRETS = ["AUTH_SECRET", "KEY_ENCRYPTION", "KEY_FINGERPRINT"] as const;
export type RequiredSecret = (typeof REQUIRED_SECRETS)[number];

/** What a deployment does about the sandbox image: build and roll it out, leave the deployed one, or have none. */
export type SandboxImage = "build" | "keep" | "none";

export type Step =
  | { kind: "create_database"; name: string }
  | { kind: "create_bucket"; name: string }
  | { kind: "build" }
  | { kind: "apply_migrations"; database: string }
  | { kind: "set_secrets"; names: RequiredSecret[] }
  | { kind: "deploy_worker"; image: SandboxImage }
  | { kind: "create_pages_project"; name: string }
  | { kind: "deploy_pages"; name: string };

export interface Plan {
  /** Sentences that say what is missing and how to get it. Not empty: nothing may be done. */
  missing: string[];
  steps: Step[];
}

function missingAccount(state: AccountState): string[] {
  if (state.accountId !== null) return [];
  if (state.accounts.length === 0) return ["This sign-in belongs to no Cloudflare account. Ask the account's owner for an invitation."];
  const list = state.accounts.map(({ id, name }) => `  ${id}  ${name}`).join("\n");
  return [
    `This sign-in has ${state.accounts.length} accounts. Choose one, then run this again: export CLOUDFLARE_ACCOUNT_ID=<id>\n${list}`,
  ];
}

function missingForSandbox({ image }: DeployOptions, { containers, secrets }: AccountState): string[] {
  if (containers === null) return [];
  const missing: string[] = [];
  if (!containers.allowed)
    missing.push(
      "This account may not run containers. They need the Workers Paid plan (dash.cloudflare.com, Workers & Pages, Plans) and a sign-in with the containers permission (npx wrangler login). Without them: npm run deploy -- --no-sandbox",
    );
  if (!image && secrets === null)
    missing.push("There is no sandbox image to leave as it is: this Worker was not deployed before. Run this without --no-image.");
  if (image && containers.docker !== "ready")
    missing.push(
      `The sandbox image is built on this computer, and Docker ${containers.docker === "missing" ? "is not installed (docs.docker.com/get-docker)" : "does not answer: start it"}. Then run this again, or deploy without sandboxes: npm run deploy -- --no-sandbox`,
    );
  return missing;
}

function lostKeyEncryption({ newKeyEncryption }: DeployOptions, names: Names, { secrets, sealedValues }: AccountState): string[] {
  const isThere = secrets?.includes("KEY_ENCRYPTION") ?? false;
  if (isThere || sealedValues === 0 || newKeyEncryption) return [];
  return [
    `The database holds ${sealedValues} sealed ${sealedValues === 1 ? "value" : "values"} (stored API keys, Git logins, tool servers' secrets), but the Worker ${names.worker} has no KEY_ENCRYPTION to open them. ` +
      `If you have it, set it: npx wrangler secret put KEY_ENCRYPTION --name ${names.worker}   ` +
      "If it is lost, they cannot be opened by anybody: npm run deploy -- --new-key-encryption makes another, and people enter their keys again.",
  ];
}

function missingSecrets({ secrets }: AccountState): RequiredSecret[] {
  const present = new Set(secrets);
  return REQUIRED_SECRETS.filter((name) => !present.has(name));
}

/** A Worker that runs gets new secrets before the code that needs them; one that does not exist yet must come first. */
function workerSteps(options: DeployOptions, state: AccountState): Step[] {
  const image = options.image ? "build" : "keep";
  const deploy: Step = { kind: "deploy_worker", image: options.sandbox ? image : "none" };
  const names = missingSecrets(state);
  if (names.length === 0) return [deploy];
  const set: Step = { kind: "set_secrets", names };
  return state.secrets === null ? [deploy, set] : [set, deploy];
}

export function makePlan(options: DeployOptions, names: Names, state: AccountState): Plan {
  const missing = [...missingAccount(state), ...missingForSandbox(options, state), ...lostKeyEncryption(options, names, state)];
  const steps: Step[] = [];
  if (state.databaseId === null) steps.push({ kind: "create_database", name: names.database });
  if (!state.hasBucket) steps.push({ kind: "create_bucket", name: names.bucket });
  steps.push({ kind: "build" }, { kind: "apply_migrations", database: names.database }, ...workerSteps(options, state));
  if (options.pages) {
    if (!state.hasPagesProject) steps.push({ kind: "create_pages_project", name: names.pages });
    steps.push({ kind: "deploy_pages", name: names.pages });
  }
  return { missing, steps };
}

export function describeStep(step: Step): string {
  switch (step.kind) {
    case "create_database":
      return `Create the D1 database ${step.name}`;
    case "create_bucket":
      return `Create the R2 bucket ${step.name}`;
    case "build":
      return "Build the web app and the runner";
    case "apply_migrations":
      return `Bring the database ${step.database} up to date`;
    case "set_secrets":
      return `Make and set the ${step.names.length === 1 ? "secret" : "secrets"} ${step.names.join(", ")}`;
    case "deploy_worker":
      return step.image === "build" ? "Build the sandbox image, deploy the Worker" : "Deploy the Worker";
    case "create_pages_project":
      return `Create the Pages project ${step.name}`;
    case "deploy_pages":
      return `Deploy the Pages project ${step.name}`;
  }
}
