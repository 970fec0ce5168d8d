/**
 * The typed client of /v1. Works wherever there is `fetch`; answers are parsed by the schemas that the platform itself is held
 * to. A refusal is an `ApiError`; every call takes a signal; streams are async iterables that end when their loop is left.
 *
 *   const client = createClient({ baseUrl: "https://platform.example", token: process.env.API_TOKEN });
 *   const session = await client.sessions.create({ prompt: "Fix the login" });
 *   for await (const piece of client.events(session.id)) …
 */
import type * as z from "zod";
import {
  chatChunkSchema,
  chatCompletionSchema,
  codeSessionCreatedSchema,
  codeSessionListSchema,
  healthSchema,
  modelListSchema,
  modelSchema,
  type ChatChunk,
  type ChatCompletion,
  type CodeSessionCreated,
  type CodeSessionList,
  type Health,
  type Model,
} from "./api/answers.ts";
import {
  codeFilesSchema,
  codeMessageSchema,
  codeSessionSchema,
  type codeApprovalAnswerSchema,
  type codeMessageCreateSchema,
  type codeSessionCreateSchema,
  type CodeMessage,
  type CodeSession,
} from "./api/code.ts";
import { executionSchema, type executeSchema, type Execution } from "./api/execute.ts";
import { ApiError, parseJson, toApiError } from "./client/api-error.ts";
import { followMessage, followSession, type CodePiece, type MessagePiece } from "./client/follow.ts";
import { platformFetch, type ClientFetch } from "./client/platform.ts";
import { serverEvents } from "./client/server-events.ts";
import { Transport, type CallOptions } from "./client/transport.ts";

export { ApiError } from "./client/api-error.ts";
export type { ApiErrorFields } from "./client/api-error.ts";
export type { CodeEvent, CodeLive, CodePiece, MessagePiece } from "./client/follow.ts";
export type { ClientFetch, ClientSignal } from "./client/platform.ts";
export type { CallOptions } from "./client/transport.ts";
export type { ChatChunk, ChatCompletion, CodeSessionCreated, CodeSessionList, Health, Model } from "./api/answers.ts";
export type { CodeMessage, CodeSession } from "./api/code.ts";
export type { Execution } from "./api/execute.ts";

export interface ClientOptions {
  /** Of the deployment, without `/v1`. */
  baseUrl: string;
  token: string;
  fetch?: ClientFetch;
  /** Of one call that may be sent again. */
  maxRetries?: number;
}
const DEFAULT_RETRIES = 3;

export type SessionCreate = z.input<typeof codeSessionCreateSchema>;
export type MessageCreate = Omit<z.input<typeof codeMessageCreateSchema>, "stream">;
export type ApprovalAnswer = z.input<typeof codeApprovalAnswerSchema>;
export type Execute = Omit<z.input<typeof executeSchema>, "stream">;
export type CodeFiles = z.infer<typeof codeFilesSchema>;
export type ExecutionPiece = { type: "stdout" | "stderr"; text: string } | { type: "ended"; execution: Execution };
/** As OpenAI's API takes it. */
export type ChatBody = { model: string; messages: readonly { role: string; [field: string]: unknown }[]; [field: string]: unknown };

export interface Client {
  sessions: {
    create(body?: SessionCreate, options?: CallOptions): Promise<CodeSessionCreated>;
    get(sessionId: string, options?: CallOptions): Promise<CodeSession>;
    list(page?: { limit?: number; after?: string }, options?: CallOptions): Promise<CodeSessionList>;
    delete(sessionId: string, options?: CallOptions): Promise<void>;
  };
  messages: {
    /** With `wait`: when its turn has ended, or asks for an approval. */
    send(sessionId: string, body: MessageCreate, options?: CallOptions): Promise<CodeMessage>;
    /** Until its turn has ended; a connection that breaks is taken up where it was. */
    stream(sessionId: string, body: MessageCreate, options?: CallOptions): AsyncGenerator<MessagePiece, void, undefined>;
    get(sessionId: string, messageId: string, options?: CallOptions): Promise<CodeMessage>;
    cancel(sessionId: string, messageId: string, options?: CallOptions): Promise<CodeMessage>;
  };
  /** From the event after `after` on, without end; a connection that breaks is taken up where it was. */
  events(sessionId: string, options?: CallOptions & { after?: number }): AsyncGenerator<CodePiece, void, undefined>;
  approvals: { answer(sessionId: string, approvalId: string, answer: ApprovalAnswer, options?: CallOptions): Promise<CodeSession> };
  files: {
    get(sessionId: string, path?: string, options?: CallOptions): Promise<CodeFiles>;
    changes(sessionId: string, options?: CallOptions): Promise<CodeFiles>;
  };
  execute: {
    run(body: Execute, options?: CallOptions): Promise<Execution>;
    stream(body: Execute, options?: CallOptions): AsyncGenerator<ExecutionPiece, void, undefined>;
  };
  chat: {
    create(body: ChatBody, options?: CallOptions): Promise<ChatCompletion>;
    stream(body: ChatBody, options?: CallOptions): AsyncGenerator<ChatChunk, void, undefined>;
  };
  models: {
    list(options?: CallOptions): Promise<Model[]>;
    get(id: string, options?: CallOptions): Promise<Model>;
  };
  health(options?: CallOptions): Promise<Health>;
}

export function createClient({ baseUrl, token, fetch = platformFetch, maxRetries = DEFAULT_RETRIES }: ClientOptions): Client {
  const transport = new Transport({ baseUrl: baseUrl.replace(/\/+$/, ""), token, fetch, maxRetries });
  return {
    sessions: sessionCalls(transport),
    messages: messageCalls(transport),
    events: (sessionId, options = {}) => followSession(transport, `${at(sessionId)}/events`, options),
    approvals: {
      answer: (sessionId, approvalId, answer, options) =>
        transport.json({ method: "POST", path: `${at(sessionId)}/approvals/${approvalId}`, body: answer }, codeSessionSchema, options),
    },
    files: fileCalls(transport),
    execute: {
      run: (body, options) => transport.json({ method: "POST", path: "/v1/code/execute", body }, executionSchema, options),
      stream: (body, options) => executionPieces(transport, body, options),
    },
    chat: {
      create: (body, options) =>
        transport.json({ method: "POST", path: CHAT, body: { ...body, stream: false } }, chatCompletionSchema, options),
      stream: (body, options) => chatChunks(transport, body, options),
    },
    models: {
      list: async (options) => (await transport.json({ method: "GET", path: "/v1/models" }, modelListSchema, options)).data,
      get: (id, options) => transport.json({ method: "GET", path: `/v1/models/${encodeURI(id)}` }, modelSchema, options),
    },
    health: (options) => healthOf(transport, options),
  };
}

const SESSIONS = "/v1/code/session";
const CHAT = "/v1/chat/completions";
const at = (sessionId: string): string => `${SESSIONS}/${sessionId}`;

const sessionCalls = (transport: Transport): Client["sessions"] => ({
  create: (body = {}, options) => transport.json({ method: "POST", path: SESSIONS, body }, codeSessionCreatedSchema, options),
  get: (sessionId, options) => transport.json({ method: "GET", path: at(sessionId) }, codeSessionSchema, options),
  list: (page = {}, options) => transport.json({ method: "GET", path: SESSIONS, query: { ...page } }, codeSessionListSchema, options),
  async delete(sessionId, options) {
    try {
      await transport.nothing({ method: "DELETE", path: at(sessionId) }, options);
    } catch (error) {
      // Its first try may have done it before the connection broke.
      if (!(error instanceof ApiError && error.code === "session_deleted")) throw error;
    }
  },
});

const messageCalls = (transport: Transport): Client["messages"] => ({
  send: (sessionId, body, options) =>
    transport.json({ method: "POST", path: `${at(sessionId)}/messages`, body }, codeMessageSchema, options),
  stream: (sessionId, body, options = {}) =>
    followMessage(transport, { method: "POST", path: `${at(sessionId)}/messages`, body: { ...body, stream: true } }, options),
  get: (sessionId, messageId, options) =>
    transport.json({ method: "GET", path: `${at(sessionId)}/messages/${messageId}` }, codeMessageSchema, options),
  cancel: (sessionId, messageId, options) =>
    transport.json({ method: "POST", path: `${at(sessionId)}/messages/${messageId}/cancel` }, codeMessageSchema, options),
});

const fileCalls = (transport: Transport): Client["files"] => ({
  get: (sessionId, path = "", options) =>
    transport.json({ method: "GET", path: `${at(sessionId)}/files`, query: { path } }, codeFilesSchema, options),
  changes: (sessionId, options) =>
    transport.json({ method: "GET", path: `${at(sessionId)}/files`, query: { changes: 1 } }, codeFilesSchema, options),
});

/** Chunks until `[DONE]`. A stream that breaks is an error: an answer cannot be taken up in its middle. */
async function* chatChunks(transport: Transport, body: ChatBody, options: CallOptions = {}): AsyncGenerator<ChatChunk, void, undefined> {
  const response = await transport.open({ method: "POST", path: CHAT, body: { ...body, stream: true } }, options);
  for await (const { data } of serverEvents(response)) {
    if (data === "[DONE]") return;
    const value = parseJson(data);
    const chunk = chatChunkSchema.safeParse(value);
    if (!chunk.success) throw isFailure(value) ? toApiError(value, response.status, response.headers) : chunk.error;
    yield chunk.data;
  }
  throw new Error("the stream broke off before its end");
}

async function* executionPieces(
  transport: Transport,
  body: Execute,
  options: CallOptions = {},
): AsyncGenerator<ExecutionPiece, void, undefined> {
  const response = await transport.open({ method: "POST", path: "/v1/code/execute", body: { ...body, stream: true } }, options);
  for await (const { event, data } of serverEvents(response)) {
    const value = parseJson(data);
    if (event === "execution.ended") {
      yield { type: "ended", execution: executionSchema.parse(value) };
      return;
    }
    if (event === "error") throw toApiError(value, response.status, response.headers);
    if ((event === "stdout" || event === "stderr") && isText(value)) yield { type: event, text: value.text };
  }
  throw new Error("the stream broke off before its end");
}

/** `503` tells of it too. */
async function healthOf(transport: Transport, options: CallOptions = {}): Promise<Health> {
  const ask = { method: "GET", path: "/v1/health" } as const;
  const response = await transport.answer(ask, options);
  const body = parseJson(await response.text());
  const health = healthSchema.safeParse(body);
  if (health.success) return health.data;
  throw response.ok ? health.error : toApiError(body, response.status, response.headers);
}

const isFailure = (value: unknown): boolean => typeof value === "object" && value !== null && "error" in value;
const isText = (value: unknown): value is { text: string } =>
  typeof value === "object" && value !== null && "text" in value && typeof value.text === "string";
