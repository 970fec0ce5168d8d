/** A browser before the Worker, in workerd: keeps cookies, sends the app's own origin, speaks JSON. */
import { exports } from "cloudflare:workers";

/** One request that reached the stand-in (tests/support/node/upstream.ts). */
export interface UpstreamRecord {
  method: string;
  url: string;
  headers: Record<string, string>;
  body: string;
}

export const ORIGIN = "http://app.test";
export const PASSWORD = "correct horse battery";

export interface AppClient {
  email: string;
  userId: string;
  /** The cookies as a header. */
  cookie(): string;
  fetch(path: string, init?: RequestInit): Promise<Response>;
  send(method: string, path: string, body?: unknown): Promise<Response>;
  /** Sends, expects success, and gives the parsed body. */
  json<T>(method: string, path: string, body?: unknown): Promise<T>;
}

export const fetchApp = (path: string, init: RequestInit = {}): Promise<Response> =>
  exports.default.fetch(new Request(ORIGIN + path, init));

export function newClient(origin = ORIGIN): AppClient {
  const jar = new Map<string, string>();
  const client: AppClient = {
    email: "",
    userId: "",
    cookie: () => [...jar].map(([name, value]) => `${name}=${value}`).join("; "),
    async fetch(path, init = {}) {
      const headers = new Headers(init.headers);
      if (jar.size > 0 && !headers.has("cookie")) headers.set("cookie", client.cookie());
      if (!headers.has("origin")) headers.set("origin", origin);
      const response = await exports.default.fetch(new Request(origin + path, { redirect: "manual", ...init, headers }));
      for (const line of response.headers.getSetCookie()) keep(jar, line);
      return response;
    },
    send: (method, path, body) =>
      client.fetch(path, {
        method,
        ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
      }),
    async json<T>(method: string, path: string, body?: unknown) {
      const response = await client.send(method, path, body);
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
      return response.json<T>();
    },
  };
  return client;
}

function keep(jar: Map<string, string>, line: string): void {
  const [pair = ""] = line.split(";");
  const cut = pair.indexOf("=");
  if (/max-age=0/i.test(line)) jar.delete(pair.slice(0, cut));
  else jar.set(pair.slice(0, cut), pair.slice(cut + 1));
}

let people = 0;

/** A new account, signed in. */
export async function signUp(name = "Mara"): Promise<AppClient> {
  const client = newClient();
  people += 1;
  client.email = `person${people}-${crypto.randomUUID().slice(0, 8)}@example.test`;
  const { userId } = await client.json<{ userId: string }>("POST", "/api/auth/sign-up/email", {
    name,
    email: client.email,
    password: PASSWORD,
  });
  client.userId = userId;
  return client;
}

/** A key in the provider's form. The marker decides how the stand-in answers: see tests/support/node/upstream.ts. */
export const testApiKey = (marker = "working"): string => `sk-ant-api03-${marker}-${crypto.randomUUID().replaceAll("-", "")}`;

export async function upstreamLog(): Promise<UpstreamRecord[]> {
  const response = await fetch("http://upstream.test/__log");
  return response.json<UpstreamRecord[]>();
}

export async function clearUpstreamLog(): Promise<void> {
  await fetch("http://upstream.test/__log", { method: "DELETE" });
}
