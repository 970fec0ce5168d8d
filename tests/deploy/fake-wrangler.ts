/**
 * Stands in for wrangler and the account behind it: the commands that a deployment uses, with the outputs, exit codes and
 * refusals of wrangler 4.155. Run as a program it keeps the account in the file named by FAKE_ACCOUNT and writes down each call.
 */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

export interface Account {
  loggedIn: boolean;
  accounts: { id: string; name: string }[];
  databases: { uuid: string; name: string; migrated: boolean; sealed: number }[];
  buckets: string[];
  workers: Record<string, { secrets: Record<string, string>; config: unknown }>;
  pages: Record<string, { files: string[]; config: unknown }>;
  r2Enabled: boolean;
  containersAllowed: boolean;
  /** The call, by its first words, that ends badly; the words stand at the beginning of its arguments. */
  breaksAt: string | null;
}

export const newAccount = (changes: Partial<Account> = {}): Account => ({
  loggedIn: true,
  accounts: [{ id: "a".repeat(32), name: "Mara's account" }],
  databases: [],
  buckets: [],
  workers: {},
  pages: {},
  r2Enabled: true,
  containersAllowed: true,
  breaksAt: null,
  ...changes,
});

interface Call {
  args: string[];
  input: string;
  cwd: string;
}
interface Answer {
  code: number;
  stdout?: string;
  stderr?: string;
}

const failure = (message: string): Answer => ({
  code: 1,
  stderr: `\u001b[31m✘ \u001b[41;31m[\u001b[41;97mERROR\u001b[41;31m]\u001b[0m \u001b[1m${message}\u001b[0m\n\n🪵  Logs were written to "/home/mara/.config/.wrangler/logs/wrangler.log"\n`,
});
const success = (stdout: string): Answer => ({ code: 0, stdout: `${stdout}\n` });
const json = (value: unknown): Answer => success(JSON.stringify(value, null, 2));

const flag = (args: string[], name: string): string | undefined => (args.includes(name) ? args[args.indexOf(name) + 1] : undefined);

interface WorkerConfig {
  name: string;
  d1_databases: { database_id: string; database_name: string }[];
  r2_buckets: { bucket_name: string }[];
}

function configOf({ args, cwd }: Call): WorkerConfig {
  return JSON.parse(readFileSync(path.resolve(cwd, flag(args, "--config") ?? "wrangler.json"), "utf8")) as WorkerConfig;
}

/** Changes the account as the real command would. */
export function answer(account: Account, call: Call): Answer {
  const { args } = call;
  const words = args.join(" ");
  if (account.breaksAt !== null && words.startsWith(account.breaksAt))
    return failure("A request to the Cloudflare API failed.\n  internal error [code: 7500]");
  if (words === "whoami --json")
    return account.loggedIn
      ? json({ loggedIn: true, authType: "OAuth Token", email: "mara@example.test", accounts: account.accounts, tokenPermissions: [] })
      : { code: 1, stdout: '{"loggedIn":false}\n' };
  if (!account.loggedIn)
    return failure(
      "In a non-interactive environment, it's necessary to set a CLOUDFLARE_API_TOKEN environment variable for wrangler to work.",
    );
  const handler = HANDLERS.find(([start]) => words.startsWith(start))?.[1];
  return handler === undefined ? failure(`Unknown arguments: ${words}`) : handler(account, call);
}

const HANDLERS: [string, (account: Account, call: Call) => Answer][] = [
  [
    "d1 list --json",
    ({ databases }) =>
      json(databases.map(({ uuid, name }) => ({ uuid, name, created_at: "2026-11-21T00:00:00.000Z", version: "production" }))),
  ],
  ["d1 create", createDatabase],
  ["d1 execute", countSealed],
  ["d1 migrations apply DB --remote", migrate],
  ["r2 bucket list", listBuckets],
  ["r2 bucket create", createBucket],
  ["secret list", listSecrets],
  ["secret bulk", setSecrets],
  [
    "containers list --json",
    ({ containersAllowed }) => (containersAllowed ? json([]) : failure("Unauthorized: you do not have access to containers")),
  ],
  [
    "pages project list --json",
    ({ pages }) =>
      json(
        Object.keys(pages).map((name) => ({
          "Project Name": name,
          "Project Domains": `${name}.pages.dev`,
          "Git Provider": "No",
          "Last Modified": "1 minute ago",
        })),
      ),
  ],
  ["pages project create", createProject],
  ["pages deploy", deployPages],
  ["deploy", deployWorker],
];

function createDatabase(account: Account, { args: [, , name = ""] }: Call): Answer {
  if (account.databases.some((database) => database.name === name)) return failure(`A database with that name already exists`);
  const uuid = `00000000-0000-4000-8000-${String(account.databases.length).padStart(12, "0")}`;
  account.databases.push({ uuid, name, migrated: false, sealed: 0 });
  return success(
    `✅ Successfully created DB '${name}' in region WEUR\nCreated your new D1 database.\n\n{\n  "d1_databases": [\n    {\n      "binding": "DB",\n      "database_name": "${name}",\n      "database_id": "${uuid}"\n    }\n  ]\n}`,
  );
}

function countSealed(account: Account, { args }: Call): Answer {
  const database = account.databases.find(({ name }) => name === args[2]);
  if (database === undefined) return failure(`Couldn't find a D1 DB named '${args[2]}'`);
  const isCount = (flag(args, "--command") ?? "").includes("COUNT");
  const rows = isCount ? [{ sealed: database.sealed }] : database.migrated ? [{ name: "provider_keys" }, { name: "mcp_servers" }] : [];
  return json([{ results: rows, success: true, meta: { duration: 0.2 } }]);
}

function migrate(account: Account, call: Call): Answer {
  const id = configOf(call).d1_databases[0]?.database_id;
  const database = account.databases.find(({ uuid }) => uuid === id);
  if (database === undefined) return failure(`The database ${id} could not be found [code: 7404]`);
  const said = database.migrated ? "✅ No migrations to apply!" : "🌀 Executing on remote database\n│ 0000_init.sql │ ✅ │";
  database.migrated = true;
  return success(said);
}

function listBuckets({ r2Enabled, buckets }: Account): Answer {
  if (!r2Enabled)
    return failure(
      "A request to the Cloudflare API (/accounts/x/r2/buckets) failed.\n  Please enable R2 through the Cloudflare Dashboard. [code: 10042]",
    );
  return success(
    `Listing buckets...\n${buckets.map((name) => `name:           ${name}\ncreation_date:  2026-11-21T00:00:00.000Z`).join("\n\n")}`,
  );
}

function createBucket(account: Account, { args: [, , , name = ""] }: Call): Answer {
  if (account.buckets.includes(name)) return failure("The bucket you tried to create already exists, and you own it. [code: 10004]");
  account.buckets.push(name);
  return success(`Creating bucket '${name}'...\n✅ Created bucket '${name}' with default storage class of Standard.`);
}

function listSecrets({ workers }: Account, { args }: Call): Answer {
  const name = flag(args, "--name") ?? "";
  const worker = workers[name];
  if (worker === undefined)
    return failure(`Worker "${name}" not found.\n\nIf this is a new Worker, run \`wrangler deploy\` first to create it.`);
  return json(Object.keys(worker.secrets).map((secret) => ({ name: secret, type: "secret_text" })));
}

function setSecrets({ workers }: Account, { args, input }: Call): Answer {
  const name = flag(args, "--name") ?? "";
  const values = JSON.parse(input) as Record<string, string>;
  const worker = (workers[name] ??= { secrets: {}, config: null });
  Object.assign(worker.secrets, values);
  const lines = Object.keys(values).map((key) => `✨ Successfully created secret for key: ${key}`);
  return success([`🌀 Processing the secrets for the Worker "${name}"`, ...lines].join("\n"));
}

function deployWorker(account: Account, call: Call): Answer {
  const config = configOf(call);
  if (!account.databases.some(({ uuid }) => uuid === config.d1_databases[0]?.database_id))
    return failure("D1 binding 'DB' references database which was not found [code: 10181]");
  if (!account.buckets.includes(config.r2_buckets[0]?.bucket_name ?? "")) return failure("R2 bucket not found [code: 10085]");
  const secrets = account.workers[config.name]?.secrets ?? {};
  account.workers[config.name] = { secrets, config };
  return success(
    `Total Upload: 1 KiB / gzip: 1 KiB\nUploaded ${config.name} (3.21 sec)\nDeployed ${config.name} triggers (0.50 sec)\n  https://${config.name}.mara.workers.dev\nCurrent Version ID: 00000000-0000-4000-8000-000000000009`,
  );
}

function createProject({ pages }: Account, { args: [, , , name = ""] }: Call): Answer {
  if (name in pages) return failure("A project with this name already exists. Choose a different project name. [code: 8000002]");
  pages[name] = { files: [], config: null };
  return success(
    `✨ Successfully created the '${name}' project. It will be available at https://${name}.pages.dev/ once you create your first deployment.`,
  );
}

function deployPages(account: Account, { args, cwd }: Call): Answer {
  const name = flag(args, "--project-name") ?? "";
  const project = account.pages[name];
  if (project === undefined)
    return failure("Project not found. The specified project name does not match any of your existing projects. [code: 8000007]");
  project.config = JSON.parse(readFileSync(path.join(cwd, "wrangler.json"), "utf8"));
  project.files = ["site/index.html", "site/_routes.json", "functions/[[path]].ts"].filter((file) => existsSync(path.join(cwd, file)));
  return success(`🌎 Deploying...\n✨ Deployment complete! Take a peek over at https://0a1b2c3d.${name}.pages.dev`);
}

/** As a program: the account is a file, and every call is written down beside it. */
function main(file: string): void {
  const before = readFileSync(file, "utf8");
  const account = JSON.parse(before) as Account;
  const call: Call = { args: process.argv.slice(2), input: readFileSync(0, "utf8"), cwd: process.cwd() };
  appendFileSync(`${file}.calls`, `${JSON.stringify({ args: call.args, cwd: call.cwd })}\n`);
  const { code, stdout = "", stderr = "" } = answer(account, call);
  // Questions are asked several at a time; only what changes something, one at a time, writes.
  const after = JSON.stringify(account);
  if (after !== before) writeFileSync(file, after);
  process.stdout.write(stdout);
  process.stderr.write(stderr);
  process.exitCode = code;
}

const accountFile = process.env["FAKE_ACCOUNT"];
if (process.argv[1] === import.meta.filename && accountFile !== undefined) main(accountFile);
