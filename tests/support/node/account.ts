/** A person with a browser's cookies, against a running platform. */
import { randomUUID } from "node:crypto";
import type { ProjectBody, SessionBody, TicketBody } from "@ai-dev-platform/protocol/http";
import type { WorkspaceSource } from "@ai-dev-platform/protocol/runner";
import { openViewer, type Viewer } from "./viewer.ts";

export interface Account {
  cookie(): string;
  request(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Response>;
  json<T>(method: string, path: string, body?: unknown): Promise<T>;
  createSession(source: WorkspaceSource, options?: Record<string, unknown>): Promise<SessionBody>;
  view(sessionId: string, options?: Parameters<typeof openViewer>[3]): Promise<Viewer>;
}

export async function signUp(url: string, name = "Mara"): Promise<Account> {
  const jar = new Map<string, string>();
  const request: Account["request"] = async (method, path, body, headers = {}) => {
    const response = await fetch(`${url}${path}`, {
      method,
      redirect: "manual",
      headers: {
        origin: url,
        cookie: cookieHeader(jar),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    for (const cookie of response.headers.getSetCookie()) {
      const [pair = ""] = cookie.split(";");
      const cut = pair.indexOf("=");
      jar.set(pair.slice(0, cut), pair.slice(cut + 1));
    }
    return response;
  };
  const account: Account = {
    cookie: () => cookieHeader(jar),
    request,
    async json(method, path, body) {
      const response = await request(method, path, body);
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
      return response.json() as never;
    },
    async createSession(source, options = {}) {
      const project = await account.json<ProjectBody>("POST", "/api/projects", { name: "Test project", source });
      // The platform's machine may still be on its way.
      return account.json<SessionBody>("POST", "/api/sessions", { projectId: project.projectId, host: "machine", ...options });
    },
    async view(sessionId, options) {
      const { ticket } = await account.json<TicketBody>("POST", `/api/sessions/${sessionId}/ticket`, {});
      return openViewer(url, sessionId, ticket, options);
    },
  };
  await account.json("POST", "/api/auth/sign-up/email", { name, email: `${randomUUID()}@example.test`, password: "correct horse battery" });
  return account;
}

const cookieHeader = (jar: Map<string, string>) => [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
