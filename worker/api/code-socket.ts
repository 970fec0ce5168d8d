/**
 * WebSocket /v1/code/ws (SPEC WS): requests in, text, progress and one response for each out; several at once. Owns the socket:
 * who it is, what may come in, and its end, which ends what it began. What a request comes to is `code-socket-request.ts`.
 */
import { codeRequestSchema, type CodeAnswerFrame, type CodeRequest } from "@ai-dev-platform/protocol/api/socket";
import { CLOSE } from "@ai-dev-platform/protocol/close-codes";
import { decodeFrame } from "@ai-dev-platform/protocol/codec";
import { ERRORS, type ErrorCode } from "@ai-dev-platform/protocol/errors";
import { MAX_FRAME_BYTES, MAX_VIEWER_FRAMES_PER_SECOND, PING, PONG } from "@ai-dev-platform/protocol/limits";
import * as z from "zod";
import { findApiToken } from "../db/api-tokens.ts";
import { sha256Hex } from "../encoding.ts";
import { AppError } from "../errors.ts";
import { newId } from "../ids.ts";
import { createLogger, errorFields } from "../log.ts";
import { authenticate, requireScopes } from "./authenticate.ts";
import type { ApiCaller } from "./caller.ts";
import { answerCodeRequest } from "./code-socket-request.ts";

export const CODE_SUBPROTOCOL = "adp.code.v1";
const BEARER_OFFER = "bearer.";

/** Under way at once on one socket; each is a turn. */
const MAX_REQUESTS = 16;
/** A token that is revoked is noticed by this, and a little: half of what is promised. */
const TOKEN_CHECK_MS = 1_000;
/** A socket on which nothing was asked for this long costs a look each second for nobody. */
const IDLE_MS = 15 * 60_000;

const log = createLogger("code-socket");

/** What a frame that could not be read may still say about whom to answer. */
const namedSchema = z.looseObject({ id: z.string().max(100).optional().catch(undefined) });

type Ask = Extract<CodeRequest, { type: "code_request" }>;

export async function openCodeSocket(env: Env, request: Request, waitUntil: (work: Promise<unknown>) => void): Promise<Response> {
  const offers = (request.headers.get("sec-websocket-protocol") ?? "").split(",").map((offer) => offer.trim());
  const { caller, tokenHash } = await callerOf(env, request, offers);
  requireScopes(caller, "sessions:write");
  const [client, server] = Object.values(new WebSocketPair());
  if (client === undefined || server === undefined) throw new Error("a socket pair has two ends");
  waitUntil(new CodeSocket(env, caller, tokenHash, server).run());
  const headers = new Headers(offers.includes(CODE_SUBPROTOCOL) ? { "sec-websocket-protocol": CODE_SUBPROTOCOL } : {});
  return new Response(null, { status: 101, webSocket: client, headers });
}

/** A browser cannot set headers on a socket: there the token is one of the subprotocols that it offers, beside ours. */
async function callerOf(env: Env, request: Request, offers: readonly string[]): Promise<{ caller: ApiCaller; tokenHash: string }> {
  const offered = offers.find((offer) => offer.startsWith(BEARER_OFFER))?.slice(BEARER_OFFER.length);
  if (offered !== undefined && !offers.includes(CODE_SUBPROTOCOL))
    throw new AppError("bad_request", { detail: `Offer ${CODE_SUBPROTOCOL} beside the token: the answer must not name the token.` });
  const headers = new Headers(request.headers);
  if (offered !== undefined) headers.set("authorization", `Bearer ${offered}`);
  const caller = await authenticate(env, new Request(request.url, { headers }));
  const token = headers.get("authorization")?.replace(/^\S+\s+/, "") ?? headers.get("x-api-key") ?? "";
  return { caller, tokenHash: await sha256Hex(token.trim()) };
}

class CodeSocket {
  readonly #env: Env;
  readonly #caller: ApiCaller;
  readonly #tokenHash: string;
  readonly #socket: WebSocket;
  /** What stops each request's turn. */
  readonly #running = new Map<string, AbortController>();
  readonly #ends = new AbortController();
  readonly #closed = Promise.withResolvers<void>();
  #work: Promise<unknown>[] = [];
  #second = 0;
  #frames = 0;
  #usedAt = Date.now();
  #isOpen = true;

  constructor(env: Env, caller: ApiCaller, tokenHash: string, socket: WebSocket) {
    this.#env = env;
    this.#caller = caller;
    this.#tokenHash = tokenHash;
    this.#socket = socket;
    socket.addEventListener("message", (event) => this.#take(event.data));
    socket.addEventListener("close", () => this.#end(CLOSE.done, ""));
    socket.addEventListener("error", () => this.#end(CLOSE.done, ""));
    socket.accept();
  }

  /** Resolves when the socket is closed and all that it began has ended. */
  async run(): Promise<void> {
    const timer = setInterval(() => void this.#check(), TOKEN_CHECK_MS);
    await this.#closed.promise;
    clearInterval(timer);
    await Promise.allSettled(this.#work);
  }

  #take(data: string | ArrayBuffer): void {
    if (!this.#isOpen) return;
    if (this.#isFlooding()) return this.#end(CLOSE.flooding, "too many frames");
    if (data === PING) return this.#socket.send(PONG);
    const decoded = decodeFrame(codeRequestSchema, data, MAX_FRAME_BYTES);
    if (!decoded.ok) return this.#refuseUnread(data, decoded.code, decoded.detail);
    this.#usedAt = Date.now();
    const { frame } = decoded;
    if (frame.type === "code_cancel") return this.#cancel(frame.id);
    this.#begin(frame);
  }

  #isFlooding(): boolean {
    const second = Math.floor(Date.now() / 1_000);
    if (second !== this.#second) [this.#second, this.#frames] = [second, 0];
    this.#frames += 1;
    return this.#frames > MAX_VIEWER_FRAMES_PER_SECOND;
  }

  #refuseUnread(data: string | ArrayBuffer, code: "bad_frame" | "too_large", detail: string): void {
    this.#fail(typeof data === "string" && code === "bad_frame" ? nameOf(data) : null, code, detail);
    // A client that sends what is no text, or far too much of it, does not mean us.
    if (typeof data !== "string" || code === "too_large") this.#end(CLOSE.badFrame, detail);
  }

  #cancel(id: string): void {
    const running = this.#running.get(id);
    if (running === undefined) return this.#fail(id, "not_found");
    running.abort(new AppError("prompt_withdrawn"));
  }

  #begin(ask: Ask): void {
    const id = ask.id ?? newId("request");
    if (this.#running.has(id)) return this.#fail(id, "conflict", "A request with this id is under way.");
    if (this.#running.size >= MAX_REQUESTS) return this.#fail(id, "rate_limited", `At most ${MAX_REQUESTS} requests at once.`);
    const cancel = new AbortController();
    this.#running.set(id, cancel);
    const work = this.#answer(ask, id, cancel.signal).finally(() => {
      this.#running.delete(id);
      this.#usedAt = Date.now();
      this.#work = this.#work.filter((each) => each !== work);
    });
    this.#work.push(work);
  }

  async #answer(ask: Ask, id: string, cancelled: AbortSignal): Promise<void> {
    try {
      // The client's own id makes it the same request again; one of ours is new each time.
      const request = { ...ask, id, key: ask.id };
      const signals = { ends: this.#ends.signal, cancelled };
      for await (const frame of answerCodeRequest(this.#env, this.#caller, request, signals)) this.#send(frame);
    } catch (error) {
      if (!(error instanceof AppError)) log.error("surprise", errorFields(error));
      const known = error instanceof AppError ? error : new AppError("internal");
      this.#fail(id, known.code, known.detail);
    }
  }

  #fail(id: string | null, code: ErrorCode, detail?: string): void {
    const { message } = ERRORS[code];
    this.#send({ type: "code_error", id, error: { code, message: detail === undefined ? message : `${message} (${detail})` } });
  }

  #send(frame: CodeAnswerFrame): void {
    if (!this.#isOpen) return;
    try {
      this.#socket.send(JSON.stringify(frame));
    } catch {
      this.#end(CLOSE.done, "");
    }
  }

  /** A token that ended ends what it holds open (SPEC WS4). */
  async #check(): Promise<void> {
    const { expiresAt } = this.#caller;
    if (expiresAt !== null && expiresAt <= Date.now()) return this.#end(CLOSE.revoked, "the token has expired");
    if (this.#running.size === 0 && Date.now() - this.#usedAt > IDLE_MS) return this.#end(CLOSE.done, "idle");
    const known = await findApiToken(this.#env.DB, this.#tokenHash).catch(() => undefined);
    if (known === null) this.#end(CLOSE.revoked, "the token was revoked");
  }

  #end(code: number, reason: string): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#ends.abort(new AppError("prompt_withdrawn"));
    try {
      this.#socket.close(code, reason.slice(0, 120));
    } catch {
      // Closed already.
    }
    this.#closed.resolve();
  }
}

function nameOf(text: string): string | null {
  try {
    const named = namedSchema.safeParse(JSON.parse(text));
    return named.success ? (named.data.id ?? null) : null;
  } catch {
    return null;
  }
}
