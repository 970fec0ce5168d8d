/** Looks at the account through wrangler, changing nothing. What wrangler prints is parsed here and nowhere else. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import * as z from "zod";
import type { DeployOptions } from "./options.ts";
import type { AccountState, DockerState, Names } from "./plan.ts";
import { explain, type ToolResult, type Wrangler } from "./wrangler.ts";

/** Something the account could not be asked; the message says what to do. */
export class DeployError extends Error {}

export interface Looking {
  wrangler: Wrangler;
  docker(): Promise<DockerState>;
  /** CLOUDFLARE_ACCOUNT_ID, where it is set. */
  chosenAccount: string | null;
}

const whoamiSchema = z.object({
  loggedIn: z.literal(true),
  accounts: z.array(z.object({ id: z.string(), name: z.string() })).default([]),
});
const databasesSchema = z.array(z.object({ uuid: z.string(), name: z.string() }));
const secretsSchema = z.array(z.object({ name: z.string() }));
const projectsSchema = z.array(z.object({ "Project Name": z.string() }));
const rowsSchema = <T extends z.ZodType>(row: T) => z.tuple([z.object({ results: z.array(row) })]);
const tablesSchema = rowsSchema(z.object({ name: z.string().regex(/^\w+$/) }));
const countSchema = rowsSchema(z.object({ sealed: z.int() }));

/** JSON may follow a line of greeting. Null: not what was expected. */
function parseJson<T>(schema: z.ZodType<T>, stdout: string): T | null {
  const start = stdout.search(/^[[{]/m);
  if (start < 0) return null;
  try {
    return schema.parse(JSON.parse(stdout.slice(start)));
  } catch {
    return null;
  }
}

function read<T>(what: string, schema: z.ZodType<T>, result: ToolResult): T {
  const value = result.ok ? parseJson(schema, result.stdout) : null;
  if (value !== null) return value;
  if (!result.ok) throw new DeployError(`${what} could not be read. ${explain(result.output)}`);
  throw new DeployError(`${what}: wrangler answered in a form this version does not know. Nothing was changed.`);
}

export type SignIn = { ok: true; accounts: AccountState["accounts"]; accountId: string | null } | { ok: false; message: string };

export async function readSignIn({ wrangler, chosenAccount }: Looking): Promise<SignIn> {
  const result = await wrangler(["whoami", "--json"]);
  const who = result.ok ? parseJson(whoamiSchema, result.stdout) : null;
  if (who === null) {
    const isSignedOut = /"loggedIn":\s*false/.test(result.stdout);
    const message = "You are not signed in to Cloudflare. Run npx wrangler login (or set CLOUDFLARE_API_TOKEN), then run this again.";
    return { ok: false, message: isSignedOut ? message : `The sign-in could not be checked. ${explain(result.output)}` };
  }
  const only = who.accounts.length === 1 ? who.accounts[0]?.id : undefined;
  return { ok: true, accounts: who.accounts, accountId: chosenAccount ?? only ?? null };
}

async function findDatabase(wrangler: Wrangler, name: string): Promise<string | null> {
  const databases = read("The list of D1 databases", databasesSchema, await wrangler(["d1", "list", "--json"]));
  return databases.find((database) => database.name === name)?.uuid ?? null;
}

async function hasBucket(wrangler: Wrangler, name: string): Promise<boolean> {
  const result = await wrangler(["r2", "bucket", "list"]);
  if (!result.ok) throw new DeployError(`The list of R2 buckets could not be read. ${explain(result.output)}`);
  return [...result.stdout.matchAll(/^name:\s+(\S+)$/gm)].some((match) => match[1] === name);
}

/** Null: no such Worker. */
async function readSecrets(wrangler: Wrangler, worker: string): Promise<string[] | null> {
  const result = await wrangler(["secret", "list", "--name", worker, "--format", "json"]);
  if (!result.ok && /Worker "[^"]*".*not found/.test(result.output)) return null;
  return read("The list of the Worker's secrets", secretsSchema, result).map(({ name }) => name);
}

/** Every table with envelopes names the key-encryption key of each; a database from before a table was made lacks it. */
const SEALED_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE '%kek_id%'";
const countIn = (tables: string[]): string =>
  `SELECT ${tables.map((table) => `(SELECT COUNT(*) FROM ${table} WHERE kek_id IS NOT NULL)`).join(" + ")} AS sealed`;

async function countSealed(wrangler: Wrangler, name: string, id: string): Promise<number> {
  const folder = mkdtempSync(path.join(os.tmpdir(), "deploy-"));
  const config = path.join(folder, "wrangler.json");
  writeFileSync(config, JSON.stringify({ name, d1_databases: [{ binding: "DB", database_name: name, database_id: id }] }));
  const ask = (sql: string) => wrangler(["d1", "execute", name, "--remote", "--json", "--command", sql, "--config", config]);
  try {
    const [found] = read("The list of the database's tables", tablesSchema, await ask(SEALED_TABLES));
    const tables = found.results.map((table) => table.name);
    // Made, but not yet migrated: an earlier run ended between the two.
    if (tables.length === 0) return 0;
    const [counted] = read("The number of stored keys", countSchema, await ask(countIn(tables)));
    return counted.results.reduce((sum, row) => sum + row.sealed, 0);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function hasPagesProject(wrangler: Wrangler, name: string): Promise<boolean> {
  const projects = read("The list of Pages projects", projectsSchema, await wrangler(["pages", "project", "list", "--json"]));
  return projects.some((project) => project["Project Name"] === name);
}

async function readContainers(looking: Looking): Promise<NonNullable<AccountState["containers"]>> {
  const result = await looking.wrangler(["containers", "list", "--json"]);
  return { allowed: result.ok, docker: await looking.docker() };
}

export async function readAccount(looking: Looking, options: DeployOptions, names: Names): Promise<AccountState> {
  const signIn = await readSignIn(looking);
  if (!signIn.ok) throw new DeployError(signIn.message);
  const { accounts, accountId } = signIn;
  const blank = {
    accounts,
    accountId,
    databaseId: null,
    hasBucket: false,
    secrets: null,
    sealedValues: 0,
    hasPagesProject: false,
    containers: null,
  };
  if (accountId === null) return blank;
  const { wrangler } = looking;
  const [databaseId, secrets, isBucketThere, hasProject, containers] = await Promise.all([
    findDatabase(wrangler, names.database),
    readSecrets(wrangler, names.worker),
    hasBucket(wrangler, names.bucket),
    options.pages && hasPagesProject(wrangler, names.pages),
    options.sandbox ? readContainers(looking) : null,
  ]);
  const isLockable = databaseId !== null && !(secrets?.includes("KEY_ENCRYPTION") ?? false);
  const sealedValues = isLockable ? await countSealed(wrangler, names.database, databaseId) : 0;
  return { ...blank, databaseId, secrets, hasBucket: isBucketThere, sealedValues, hasPagesProject: hasProject, containers };
}
