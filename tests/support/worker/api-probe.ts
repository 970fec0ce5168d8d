/**
 * Routes under /v1 with nothing behind them, before the real door: what a token may do is tested without a model or a session.
 * The environment is the tests' own, with its directory's reads counted.
 */
import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { Hono } from "hono";
import type { ApiScope, ApiTokenCreatedBody } from "@ai-dev-platform/protocol/api/access";
import { admit } from "../../../worker/api/admission.ts";
import { requireToken } from "../../../worker/api/authenticate.ts";
import { apiDoor } from "../../../worker/api/door.ts";
import { toApiError, type ApiErrorBody } from "../../../worker/api/errors.ts";
import { idempotent } from "../../../worker/api/idempotency.ts";
import { AppError } from "../../../worker/errors.ts";
import type { AppContext, AppEnv } from "../../../worker/middleware/auth.ts";
import { requestId } from "../../../worker/middleware/request-id.ts";
import { secureHeaders } from "../../../worker/middleware/secure-headers.ts";
import { ORIGIN, type AppClient } from "./app-client.ts";

export const ALL_SCOPES: ApiScope[] = ["chat", "sessions:read", "sessions:write", "execute", "approve:edits", "approve:all"];

export const makeToken = (client: AppClient, wanted: object = {}): Promise<ApiTokenCreatedBody> =>
  client.json<ApiTokenCreatedBody>("POST", "/api/tokens", { name: "probe", scopes: ALL_SCOPES, ...wanted });

/** What runs under POST /v1/run: replaced by each test. */
export const probe: { run: (c: AppContext) => Promise<Response>; runs: number } = { run: async () => new Response("ran"), runs: 0 };

/** Statements that reached the directory. */
export const directory = { reads: 0 };
const countingDb = new Proxy(env.DB, {
  get(target, name) {
    if (name === "prepare") directory.reads += 1;
    const value: unknown = Reflect.get(target, name);
    return typeof value === "function" ? value.bind(target) : value;
  },
});

const app = new Hono<AppEnv>();
app.use(requestId, secureHeaders);
app.use("/v1/*", apiDoor);
app.get("/v1/who", requireToken(), (c) => c.json(c.get("caller")));
app.get("/v1/chat", requireToken("chat"), async (c) => c.json(await admit(c, c.get("caller"), "chat", Number(c.req.query("usd") ?? 0))));
app.get("/v1/all", requireToken("execute", "approve:all"), (c) => c.json(c.get("caller")));
app.post("/v1/run", requireToken("chat"), (c) =>
  idempotent(c, c.get("caller"), () => {
    probe.runs += 1;
    return probe.run(c);
  }),
);
app.onError((error, c) => toApiError(error instanceof AppError ? error : new AppError("internal", { cause: error }), c.get("requestId")));

export async function ask(path: string, init: RequestInit = {}, more: Partial<Env> = {}): Promise<Response> {
  const context = createExecutionContext();
  const response = await app.fetch(new Request(ORIGIN + path, init), { ...env, DB: countingDb, ...more }, context);
  // What is deferred may wait for the answer to be read.
  void waitOnExecutionContext(context);
  return response;
}

export const bearer = (token: string): RequestInit => ({ headers: { authorization: `Bearer ${token}` } });
export const errorOf = async (response: Response): Promise<ApiErrorBody["error"]> => (await response.json<ApiErrorBody>()).error;
