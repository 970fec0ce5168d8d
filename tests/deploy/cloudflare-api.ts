/**
 * Cloudflare's API as far as a deployment by the real wrangler needs it, with an account behind it: databases are SQLite
 * and really run what is sent, Workers and Pages keep what was uploaded. Reached through CLOUDFLARE_API_BASE_URL.
 */
import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { DatabaseSync } from "node:sqlite";

interface UploadedWorker {
  metadata: { bindings: Record<string, unknown>[]; migrations?: unknown } | null;
  secrets: Map<string, string>;
}

export interface CloudAccount {
  databases: { uuid: string; name: string; sql: DatabaseSync }[];
  buckets: string[];
  workers: Map<string, UploadedWorker>;
  pages: Map<string, { deployments: string[] }>;
  assets: number;
  /** "METHOD /path" without the account's prefix, in order. */
  requests: string[];
}

export interface Cloud {
  url: string;
  account: CloudAccount;
  close(): Promise<void>;
}

export const ACCOUNT_ID = "a".repeat(32);
/** A token of the right shape that never ends; its signature is not looked at. */
const UPLOAD_TOKEN = `eyJhbGciOiJIUzI1NiJ9.${Buffer.from(JSON.stringify({ exp: 4_102_444_800 })).toString("base64url")}.x`;

type Reply = { result: unknown; info?: Record<string, number> } | { status: number; code: number; message: string };
const found = (result: unknown): Reply => ({ result });
const absent = (code: number, message: string): Reply => ({ status: 404, code, message });
const list = (items: unknown[]): Reply => ({
  result: items,
  info: { page: 1, per_page: 100, count: items.length, total_count: items.length, total_pages: 1 },
});

type Handler = (match: RegExpExecArray, body: string, account: CloudAccount) => Reply;

const worker = (account: CloudAccount, name: string): UploadedWorker => {
  const existing = account.workers.get(name) ?? { metadata: null, secrets: new Map<string, string>() };
  account.workers.set(name, existing);
  return existing;
};
const noWorker = () => absent(10_007, "This Worker does not exist on your account.");
const part = (body: string, name: string) =>
  new RegExp(`name="${name}"[^\\r]*\\r\\n(?:[^\\r]+\\r\\n)*\\r\\n([\\s\\S]*?)\\r\\n--`).exec(body)?.[1] ?? null;

function query(account: CloudAccount, id: string, body: string): Reply {
  const database = account.databases.find(({ uuid, name }) => uuid === id || name === id);
  if (database === undefined) return absent(7_404, "The database could not be found");
  const { sql } = JSON.parse(body) as { sql: string };
  try {
    const isRead = /^\s*(SELECT|PRAGMA)/i.test(sql);
    const results = isRead ? database.sql.prepare(sql).all() : [];
    if (!isRead) database.sql.exec(sql);
    return found([{ results, success: true, meta: { duration: 0.1, changes: 0, rows_read: 0, rows_written: 0, served_by: "test" } }]);
  } catch (error) {
    return { status: 400, code: 7_500, message: `${error instanceof Error ? error.message : String(error)}: SQLITE_ERROR` };
  }
}

function createDatabase(account: CloudAccount, body: string): Reply {
  const { name } = JSON.parse(body) as { name: string };
  if (account.databases.some((database) => database.name === name))
    return { status: 400, code: 7_502, message: "Database with name already exists" };
  const created = { uuid: randomUUID(), name, sql: new DatabaseSync(":memory:") };
  account.databases.push(created);
  return found({ uuid: created.uuid, name });
}

function upload(account: CloudAccount, name: string, body: string): Reply {
  const metadata = part(body, "metadata");
  worker(account, name).metadata = metadata === null ? null : (JSON.parse(metadata) as NonNullable<UploadedWorker["metadata"]>);
  return found({
    id: randomUUID(),
    etag: "e",
    pipeline_hash: "h",
    mutable_pipeline_id: "m",
    deployment_id: "d",
    startup_time_ms: 1,
    metadata: { has_preview: false },
  });
}

function settings(account: CloudAccount, name: string): Reply {
  const known = account.workers.get(name);
  return known?.metadata ? found({ bindings: known.metadata.bindings }) : noWorker();
}

function setSecrets(account: CloudAccount, name: string, body: string): Reply {
  if (!account.workers.has(name)) return noWorker();
  const { secrets } = JSON.parse(body) as { secrets: Record<string, { name: string; text: string } | null> };
  for (const [key, secret] of Object.entries(secrets)) if (secret !== null) worker(account, name).secrets.set(key, secret.text);
  return found([...worker(account, name).secrets.keys()].map((key) => ({ name: key, type: "secret_text" })));
}

function createProject(account: CloudAccount, body: string): Reply {
  const { name } = JSON.parse(body) as { name: string };
  account.pages.set(name, { deployments: [] });
  return found({ name, subdomain: `${name}.pages.dev`, domains: [`${name}.pages.dev`], production_branch: "main" });
}

function deployProject(account: CloudAccount, name: string, body: string): Reply {
  account.pages.get(name)?.deployments.push(body);
  return found({
    id: "0a1b2c3d",
    url: `https://0a1b2c3d.${name}.pages.dev`,
    aliases: [],
    latest_stage: { name: "deploy", status: "success" },
    environment: "production",
  });
}

const project = (name: string) => ({
  name,
  domains: [`${name}.pages.dev`],
  subdomain: `${name}.pages.dev`,
  created_on: "2026-11-21T00:00:00Z",
  production_branch: "main",
  deployment_configs: {},
});

const deployment = {
  id: "d",
  source: "wrangler",
  strategy: "percentage",
  author_email: "mara@example.test",
  created_on: "2026-11-21T00:00:00Z",
  versions: [{ version_id: "v", percentage: 100 }],
};
const version = ({ workers }: CloudAccount, name: string): Reply =>
  found({
    id: "v",
    number: 1,
    metadata: {},
    resources: { bindings: workers.get(name)?.metadata?.bindings ?? [], script: {}, script_runtime: {} },
  });

const ROUTES: [string, RegExp, Handler][] = [
  ["GET", /^\/user$/, () => found({ id: "u", email: "mara@example.test" })],
  ["GET", /^\/user\/tokens\/verify$/, () => found({ id: "t", status: "active" })],
  ["GET", /^\/accounts$/, () => list([{ id: ACCOUNT_ID, name: "Mara's account" }])],
  ["GET", /^\/memberships$/, () => list([{ id: "m", account: { id: ACCOUNT_ID, name: "Mara's account" } }])],
  ["GET", /^\/d1\/database$/, (_m, _b, { databases }) => list(databases.map(({ uuid, name }) => ({ uuid, name, version: "production" })))],
  ["POST", /^\/d1\/database$/, (_m, body, account) => createDatabase(account, body)],
  [
    "GET",
    /^\/d1\/database\/([^/]+)$/,
    ([, id], _b, { databases }) => {
      const database = databases.find(({ uuid, name }) => uuid === id || name === id);
      return database === undefined
        ? absent(7_404, "The database could not be found")
        : found({ uuid: database.uuid, name: database.name });
    },
  ],
  ["POST", /^\/d1\/database\/([^/]+)\/query$/, ([, id = ""], body, account) => query(account, id, body)],
  [
    "GET",
    /^\/r2\/buckets$/,
    (_m, _b, { buckets }) => found({ buckets: buckets.map((name) => ({ name, creation_date: "2026-11-21T00:00:00Z" })) }),
  ],
  ["POST", /^\/r2\/buckets$/, (_m, body, { buckets }) => found({ created: buckets.push((JSON.parse(body) as { name: string }).name) })],
  [
    "GET",
    /^\/r2\/buckets\/([^/]+)$/,
    ([, name = ""], _b, { buckets }) => (buckets.includes(name) ? found({ name }) : absent(10_006, "The specified bucket does not exist.")),
  ],
  ["GET", /^\/containers\//, () => found([])],
  [
    "GET",
    /^\/workers\/services\/([^/]+)$/,
    ([, name = ""], _b, { workers }) =>
      workers.get(name)?.metadata
        ? found({ default_environment: { environment: "production", script: { last_deployed_from: "wrangler", tag: "t" } } })
        : absent(10_090, "workers.api.error.service_not_found"),
  ],
  [
    "GET",
    /^\/workers\/scripts\/([^/]+)\/secrets$/,
    ([, name = ""], _b, account) =>
      account.workers.has(name)
        ? found([...worker(account, name).secrets.keys()].map((key) => ({ name: key, type: "secret_text" })))
        : noWorker(),
  ],
  ["PATCH", /^\/workers\/scripts\/([^/]+)\/secrets-bulk$/, ([, name = ""], body, account) => setSecrets(account, name, body)],
  ["GET", /^\/workers\/scripts\/([^/]+)\/settings$/, ([, name = ""], _b, account) => settings(account, name)],
  [
    "GET",
    /^\/workers\/scripts\/([^/]+)\/deployments$/,
    ([, name = ""], _b, { workers }) => found({ deployments: workers.get(name)?.metadata ? [deployment] : [] }),
  ],
  ["GET", /^\/workers\/scripts\/([^/]+)\/versions\/[^/]+$/, ([, name = ""], _b, account) => version(account, name)],
  ["POST", /^\/workers\/scripts\/[^/]+\/assets-upload-session$/, () => found({ buckets: [], jwt: UPLOAD_TOKEN })],
  ["PUT", /^\/workers\/scripts\/([^/]+)$/, ([, name = ""], body, account) => upload(account, name, body)],
  ["POST", /^\/workers\/scripts\/([^/]+)\/versions$/, ([, name = ""], body, account) => upload(account, name, body)],
  [
    "GET",
    /^\/workers\/workers\/([^/]+)$/,
    ([, name = ""], _b, { workers }) =>
      workers.get(name)?.metadata ? found({ id: "w", name, subdomain: { enabled: true, previews_enabled: false } }) : noWorker(),
  ],
  ["GET", /^\/workers\/subdomain$/, () => found({ subdomain: "mara" })],
  ["POST", /\/subdomain$/, () => found({ enabled: true, previews_enabled: true })],
  ["GET", /\/subdomain$/, () => found({ enabled: false, previews_enabled: false })],
  ["GET", /\/(routes|domains|schedules|domains\/records)$/, () => found([])],
  ["GET", /^\/pages\/projects$/, (_m, _b, { pages }) => list([...pages.keys()].map(project))],
  ["POST", /^\/pages\/projects$/, (_m, body, account) => createProject(account, body)],
  [
    "GET",
    /^\/pages\/projects\/([^/]+)$/,
    ([, name = ""], _b, { pages }) => (pages.has(name) ? found(project(name)) : absent(8_000_007, "Project not found.")),
  ],
  ["GET", /^\/pages\/projects\/[^/]+\/upload-token$/, () => found({ jwt: UPLOAD_TOKEN })],
  ["POST", /^\/pages\/assets\/check-missing$/, (_m, body) => found((JSON.parse(body) as { hashes: string[] }).hashes)],
  [
    "POST",
    /^\/pages\/assets\/upload$/,
    (_m, body, account) => found({ uploaded: (account.assets += (JSON.parse(body) as unknown[]).length) }),
  ],
  ["POST", /^\/pages\/assets\/upsert-hashes$/, () => found(true)],
  ["POST", /^\/pages\/projects\/([^/]+)\/deployments$/, ([, name = ""], body, account) => deployProject(account, name, body)],
  [
    "GET",
    /^\/pages\/projects\/([^/]+)\/deployments\/[^/]+$/,
    ([, name = ""]) =>
      found({ id: "0a1b2c3d", url: `https://0a1b2c3d.${name}.pages.dev`, latest_stage: { name: "deploy", status: "success" } }),
  ],
];

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("latin1");
}

async function serve(account: CloudAccount, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = new URL(request.url ?? "/", "http://api").pathname.replace(`/accounts/${ACCOUNT_ID}`, "");
  const method = request.method ?? "GET";
  account.requests.push(`${method} ${path}`);
  const body = await bodyOf(request);
  const route = ROUTES.find(([verb, pattern]) => verb === method && pattern.test(path));
  const match = route?.[1].exec(path);
  const reply =
    route === undefined || match === undefined || match === null
      ? absent(7_003, `no route for ${method} ${path}`)
      : route[2](match, body, account);
  const isFound = "result" in reply;
  response.writeHead(isFound ? 200 : reply.status, { "content-type": "application/json" });
  response.end(
    JSON.stringify({
      success: isFound,
      errors: isFound ? [] : [{ code: reply.code, message: reply.message }],
      messages: [],
      result: isFound ? reply.result : null,
      ...(isFound && reply.info !== undefined ? { result_info: reply.info } : {}),
    }),
  );
}

export async function startCloud(): Promise<Cloud> {
  const account: CloudAccount = { databases: [], buckets: [], workers: new Map(), pages: new Map(), assets: 0, requests: [] };
  const server = createServer((request, response) => void serve(account, request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    account,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
