/**
 * A scripted stand-in for the Messages API: the demo model of a local platform, and the model of the tests.
 * It keeps no state but a bounded request log and a queue of faults; the conversation itself is in each request.
 *
 *   node scripts/demo-model/server.ts --port 4100 [--pace 15]
 *
 * POST /v1/messages, POST /v1/messages/count_tokens, GET /v1/models; for tests POST /__fail (a fault, or a list) and GET /__log.
 */
import { randomBytes, randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { parseArgs } from "node:util";
import * as z from "zod";
import { apiError, sendJson, sendStep } from "./answer.ts";
import { DEMO } from "./demo.ts";
import { requestSchema } from "./request.ts";
import type { Fault, Scenario } from "./scenario.ts";
import { select } from "./select.ts";
import { TEST_SCENARIOS } from "./tests.ts";

/** Enough for a test to look back on; bounded, because a demo server runs for days. */
const MAX_LOGGED_REQUESTS = 300;
const MAX_BODY_BYTES = 40 * 1_048_576;
const CHARS_PER_TOKEN = 4;
/** Feels like typing: about 70 pieces a second. */
const DEMO_PACE_MS = 15;

const MODELS = ["claude-opus-5-5", "claude-sonnet-5", "claude-haiku-5"];

const faultSchema = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("http"),
    status: z.int().min(100).max(599),
    body: z.unknown().optional(),
    headers: z.record(z.string(), z.string()).default({}),
  }),
  z.object({ kind: z.literal("destroy") }),
  z.object({ kind: z.literal("cut"), afterDeltas: z.int().min(0) }),
  z.object({ kind: z.literal("sse_error"), errorType: z.string().default("overloaded_error"), message: z.string().default("scripted") }),
  z.object({ kind: z.literal("stall"), ms: z.int().min(0) }),
]);
const faultsSchema = z.union([z.array(faultSchema), faultSchema.transform((fault) => [fault])]);

export interface LoggedRequest {
  at: number;
  method: string;
  path: string;
  headers: Record<string, string>;
  body: unknown;
  /** What answered it: `demo#0`, `edit#1`, "" for other paths. */
  answer: string;
}

export interface ModelServer {
  url: string;
  requests(): LoggedRequest[];
  /** The next request to /v1/messages fails in this way; further calls queue up. */
  fail(next: Fault): void;
  close(): Promise<void>;
}

export interface ModelServerOptions {
  /** 0 picks a free port. */
  port: number;
  scenarios?: readonly Scenario[];
  paceMs?: number;
  host?: string;
}

interface State {
  scenarios: readonly Scenario[];
  paceMs: number;
  log: LoggedRequest[];
  faults: Fault[];
}

export async function startModelServer(options: ModelServerOptions): Promise<ModelServer> {
  const state: State = { scenarios: [...(options.scenarios ?? []), ...TEST_SCENARIOS], paceMs: options.paceMs ?? 0, log: [], faults: [] };
  const server = createServer((request, response) => {
    handle(state, request, response).catch((error: unknown) => {
      if (!response.headersSent) sendJson(response, 500, apiError("api_error", String(error)));
      else response.destroy();
    });
  });
  const host = options.host ?? "127.0.0.1";
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, host, resolve);
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : options.port;
  return {
    url: `http://${host}:${port}`,
    requests: () => [...state.log],
    fail: (next) => void state.faults.push(next),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function handle(state: State, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = new URL(request.url ?? "/", "http://model").pathname;
  const raw = await readBody(request);
  if (raw === null) return sendJson(response, 413, apiError("request_too_large", "The request is too large."));
  if (path === "/__log") return sendJson(response, 200, state.log);
  if (path === "/__fail") return takeFaults(state, raw, response);
  response.setHeader("request-id", `req_${randomUUID().replaceAll("-", "")}`);
  const logged = logRequest(state, request, path, raw);
  const refusal = refuseKey(request, path);
  if (refusal !== null) return sendJson(response, refusal.status, refusal.body);
  if (path === "/v1/models" && request.method === "GET") return sendJson(response, 200, models());
  if (path === "/v1/messages/count_tokens") return sendJson(response, 200, { input_tokens: Math.ceil(raw.length / CHARS_PER_TOKEN) });
  if (path === "/v1/messages" && request.method === "POST") return answerMessages(state, logged, raw, response);
  return sendJson(response, 404, apiError("not_found_error", `No such path: ${path}`));
}

async function answerMessages(state: State, logged: LoggedRequest, raw: string, response: ServerResponse): Promise<void> {
  const parsed = requestSchema.safeParse(logged.body);
  if (!parsed.success) return sendJson(response, 400, apiError("invalid_request_error", z.prettifyError(parsed.error)));
  const request = parsed.data;
  const chosen = select(request, state.scenarios, DEMO);
  logged.answer = `${chosen.scenario}#${chosen.stepIndex}`;
  const fault = state.faults.shift();
  const wantsJson = request.output_config?.format?.type === "json_schema";
  const step = wantsJson ? { blocks: [{ type: "text" as const, text: '{"title":"Scripted demo"}' }] } : chosen.step;
  const head = {
    messageId: `msg_${randomBytes(12).toString("hex")}`,
    model: request.model,
    inputTokens: Math.ceil(raw.length / CHARS_PER_TOKEN),
  };
  await sendStep(response, fault === undefined ? step : { ...step, fault }, head, request.stream, state.paceMs);
}

function logRequest(state: State, request: IncomingMessage, path: string, raw: string): LoggedRequest {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) headers[name] = String(value);
  const logged: LoggedRequest = { at: Date.now(), method: request.method ?? "GET", path, headers, body: parseJson(raw), answer: "" };
  state.log.push(logged);
  if (state.log.length > MAX_LOGGED_REQUESTS) state.log.shift();
  return logged;
}

/** Keys are judged by what they say: `revoked` and `nocredit` behave like such keys; the model list needs a key at all. */
function refuseKey(request: IncomingMessage, path: string): { status: number; body: unknown } | null {
  const bearer = request.headers.authorization?.replace(/^Bearer /i, "");
  const key = String(request.headers["x-api-key"] ?? bearer ?? "");
  if (key.includes("revoked")) return { status: 401, body: apiError("authentication_error", "invalid x-api-key") };
  if (key.includes("nocredit")) {
    const message =
      "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.";
    return { status: 400, body: apiError("invalid_request_error", message) };
  }
  if (path === "/v1/models" && !key.startsWith("sk-ant-api03-"))
    return { status: 401, body: apiError("authentication_error", "invalid x-api-key") };
  return null;
}

const models = (): unknown => ({
  data: MODELS.map((id) => ({ type: "model", id, display_name: `${id} (scripted)`, created_at: "2026-01-01T00:00:00Z" })),
  has_more: false,
  first_id: MODELS[0],
  last_id: MODELS.at(-1),
});

function takeFaults(state: State, raw: string, response: ServerResponse): void {
  const parsed = faultsSchema.safeParse(parseJson(raw));
  if (!parsed.success) return sendJson(response, 400, apiError("invalid_request_error", z.prettifyError(parsed.error)));
  state.faults.push(...parsed.data);
  sendJson(response, 200, { queued: state.faults.length });
}

function parseJson(raw: string): unknown {
  try {
    return JSON.parse(raw);
  } catch {
    return null;
  }
}

async function readBody(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    const piece = Buffer.from(chunk);
    bytes += piece.length;
    if (bytes > MAX_BODY_BYTES) return null;
    chunks.push(piece);
  }
  return Buffer.concat(chunks).toString("utf8");
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { port: { type: "string", default: "4100" }, pace: { type: "string", default: String(DEMO_PACE_MS) } },
  });
  const server = await startModelServer({ port: Number(values.port), paceMs: Number(values.pace) });
  console.log(`demo model: ${server.url}`);
  const stop = (): void => void server.close().then(() => process.exit(0));
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
}
