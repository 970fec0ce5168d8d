/** A person with a browser's rights, over the public API: requests with a cookie, and sessions over their sockets. */
import type { ProjectBody, SessionBody, TicketBody } from "@ai-dev-platform/protocol/http";
import type { Credentials } from "./options.ts";
import { openLink, type SessionLink } from "./session-link.ts";

/** Something this account or deployment refused; the message says what. */
export class VerifyError extends Error {}

export interface Client {
  url: string;
  text(path: string): Promise<{ status: number; headers: Headers; body: string }>;
  json<T>(method: string, path: string, body?: unknown): Promise<T>;
  link(sessionId: string): Promise<SessionLink>;
}

const cookiesOf = (response: Response): string =>
  response.headers
    .getSetCookie()
    .map((cookie) => cookie.split(";")[0] ?? "")
    .join("; ");

async function signIn(url: string, credentials: Credentials): Promise<string> {
  if (credentials.kind === "cookie") return credentials.cookie;
  const response = await fetch(`${url}/api/auth/sign-in/email`, {
    method: "POST",
    headers: { origin: url, "content-type": "application/json" },
    body: JSON.stringify({ email: credentials.email, password: credentials.password }),
  });
  if (!response.ok) throw new VerifyError(`The sign-in was refused (${response.status}). Check AIDEV_EMAIL and AIDEV_PASSWORD.`);
  return cookiesOf(response);
}

export async function openClient(url: string, credentials: Credentials): Promise<Client> {
  const cookie = await signIn(url, credentials);
  const request = (method: string, path: string, body?: unknown) =>
    fetch(`${url}${path}`, {
      method,
      redirect: "manual",
      headers: { origin: url, cookie, ...(body === undefined ? {} : { "content-type": "application/json" }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const client: Client = {
    url,
    async text(path) {
      const response = await request("GET", path);
      return { status: response.status, headers: response.headers, body: await response.text() };
    },
    async json<T>(method: string, path: string, body?: unknown): Promise<T> {
      const response = await request(method, path, body);
      const text = await response.text();
      if (!response.ok) throw new VerifyError(`${method} ${path}: ${response.status} ${text.slice(0, 300)}`);
      const value: T = text === "" ? undefined : JSON.parse(text);
      return value;
    },
    async link(sessionId) {
      const { ticket } = await client.json<TicketBody>("POST", `/api/sessions/${sessionId}/ticket`, {});
      return openLink(url, sessionId, ticket);
    },
  };
  return client;
}

/** What the checks make, and take away again. */
export class Workbench {
  readonly #client: Client;
  readonly #scripted: boolean;
  readonly #sessions: string[] = [];
  #projectId: string | null = null;

  constructor(client: Client, scripted: boolean) {
    this.#client = client;
    this.#scripted = scripted;
  }

  async session(settings: Record<string, unknown> = {}): Promise<SessionBody> {
    this.#projectId ??= (
      await this.#client.json<ProjectBody>("POST", "/api/projects", { name: "Deployment check", source: { kind: "empty" } })
    ).projectId;
    const session = await this.#client.json<SessionBody>("POST", "/api/sessions", {
      projectId: this.#projectId,
      modelSource: this.#scripted ? "demo" : "key",
      budgetUsd: 1,
      ...settings,
    });
    this.#sessions.push(session.sessionId);
    return session;
  }

  async clear(): Promise<void> {
    for (const sessionId of this.#sessions) await this.#client.json("DELETE", `/api/sessions/${sessionId}`).catch(() => undefined);
    if (this.#projectId !== null) await this.#client.json("DELETE", `/api/projects/${this.#projectId}`).catch(() => undefined);
  }
}
