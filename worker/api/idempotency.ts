/**
 * The Idempotency-Key of a POST under /v1: the same key with the same request is answered with what was answered first, and
 * nothing runs twice. Owns reading the key, running under it, and copying the answer as it goes by; what is kept is the
 * account's. An answer is never held back for its copy. SPEC AT6.
 */
import { MAX_API_BODY_BYTES, MAX_STORED_ANSWER_BYTES } from "../config.ts";
import { sha256Hex } from "../encoding.ts";
import { AppError } from "../errors.ts";
import { createLogger, errorFields } from "../log.ts";
import type { AppContext } from "../middleware/auth.ts";
import { readAtMost } from "../middleware/body.ts";
import type { IdempotentRequest, StoredAnswer } from "./account-api.ts";
import { apiAccount } from "./account.ts";
import type { ApiCaller } from "./caller.ts";

const log = createLogger("idempotency");

const MAX_KEY_CHARS = 255;
/** A third of what the account waits for a sign of life. */
const RENEW_EVERY_MS = 60_000;
/** What belongs to the answer itself. */
const KEPT_HEADERS = ["x-session-id", "location"];

/** Headers that say what is asked for, as the body does. */
const NAMING_HEADERS = ["x-session-id", "x-project-id"];
/** A line of a stream that says that it failed: its status was told before. */
const FAILED_LINE = /(?:^|\n)data: ?\{"error":/;

type Account = ReturnType<typeof apiAccount>;

/**
 * Without the header: just runs. `body`: the request's bytes, where the route has read them already. A failure that `run` throws
 * frees the key, as do answers that may come out otherwise the next time (402, 429, 5xx) and one whose reader went away.
 */
export async function idempotent(
  c: AppContext,
  caller: ApiCaller,
  run: () => Promise<Response>,
  body?: string | Uint8Array<ArrayBuffer>,
): Promise<Response> {
  const key = c.req.header("idempotency-key");
  if (key === undefined) return run();
  if (key.length === 0 || key.length > MAX_KEY_CHARS) {
    throw new AppError("bad_request", { detail: `Idempotency-Key: 1 to ${MAX_KEY_CHARS} characters`, param: "Idempotency-Key" });
  }
  const request = await requestOf(c, caller, key, body);
  const account = apiAccount(c.env, caller.userId);
  const verdict = await account.begin(request);
  if (verdict.kind === "replay") return replay(verdict.answer);
  if (verdict.kind === "refused") throw new AppError(verdict.code, verdict.detail === undefined ? {} : { detail: verdict.detail });
  return runUnder(c, account, request, run);
}

async function requestOf(
  c: AppContext,
  { tokenId }: ApiCaller,
  key: string,
  given: string | Uint8Array<ArrayBuffer> | undefined,
): Promise<IdempotentRequest> {
  // A copy, so that the route reads its own: idempotency comes before parsing.
  const body = given ?? (await readAtMost(c.req.raw.clone(), MAX_API_BODY_BYTES));
  if (body === null) throw new AppError("too_large");
  const { pathname, search } = new URL(c.req.url);
  const named = NAMING_HEADERS.map((name) => c.req.header(name) ?? "").join(" ");
  const [keyHash, bodyHash] = await Promise.all([sha256Hex(key), sha256Hex(body)]);
  return { tokenId, keyHash, requestHash: await sha256Hex(`${c.req.method} ${pathname}${search} ${named} ${bodyHash}`) };
}

function replay({ status, contentType, headers, body }: StoredAnswer): Response {
  return new Response(body === "" ? null : body, {
    status,
    headers: { ...headers, "content-type": contentType, "idempotent-replayed": "true" },
  });
}

async function runUnder(c: AppContext, account: Account, request: IdempotentRequest, run: () => Promise<Response>): Promise<Response> {
  const running = new Running(c, account, request);
  try {
    const response = await run();
    if (response.body === null || !isFinal(response.status)) {
      running.end(isFinal(response.status) ? answerOf(response, "") : "release");
      return response;
    }
    return new Response(
      copied(response.body, (copy) => {
        if (copy.kind === "long") running.end(null);
        else running.end(copy.kind === "broken" || FAILED_LINE.test(copy.text) ? "release" : answerOf(response, copy.text));
      }),
      response,
    );
  } catch (error) {
    running.end("release");
    throw error;
  }
}

/** Whether the same request would be answered the same way tomorrow. */
const isFinal = (status: number): boolean => status < 500 && status !== 402 && status !== 429;

function answerOf(response: Response, body: string): StoredAnswer {
  const headers: Record<string, string> = {};
  for (const name of KEPT_HEADERS) {
    const value = response.headers.get(name);
    if (value !== null) headers[name] = value;
  }
  return { status: response.status, contentType: response.headers.get("content-type") ?? "application/json", headers, body };
}

/** One run under a key: says that it lives, and once how it ended. What it tells the account outlives the request. */
class Running {
  readonly #account: Account;
  readonly #request: IdempotentRequest;
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #told: (work: Promise<void>) => void;
  #isOver = false;

  constructor(c: AppContext, account: Account, request: IdempotentRequest) {
    this.#account = account;
    this.#request = request;
    const ended = Promise.withResolvers<void>();
    c.executionCtx.waitUntil(ended.promise);
    this.#told = (work) => void work.catch((error: unknown) => log.warn("not_told", errorFields(error))).finally(ended.resolve);
    this.#timer = setInterval(() => void account.renew(request).catch(() => undefined), RENEW_EVERY_MS);
  }

  /** Null: the answer was too long to be kept. */
  end(answer: StoredAnswer | null | "release"): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearInterval(this.#timer);
    this.#told(answer === "release" ? this.#account.release(this.#request) : this.#account.finish(this.#request, answer));
  }
}

/** What was noted of a body: all of it, or that it was too long to be kept, or that it broke off. */
type Copy = { kind: "whole"; text: string } | { kind: "long" } | { kind: "broken" };

/** Each piece is handed on as it comes, and noted. */
function copied(source: ReadableStream<Uint8Array>, onEnd: (copy: Copy) => void): ReadableStream<Uint8Array> {
  const reader = source.getReader();
  let pieces: Uint8Array[] | null = [];
  let bytes = 0;
  const note = (piece: Uint8Array): void => {
    bytes += piece.byteLength;
    if (bytes > MAX_STORED_ANSWER_BYTES) pieces = null;
    // A copy: the piece itself is given away.
    pieces?.push(piece.slice());
  };
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (done) {
          onEnd(pieces === null ? { kind: "long" } : { kind: "whole", text: new TextDecoder().decode(joined(pieces, bytes)) });
          return controller.close();
        }
        note(value);
        controller.enqueue(value);
      } catch (error) {
        onEnd({ kind: "broken" });
        controller.error(error);
      }
    },
    async cancel(reason) {
      onEnd({ kind: "broken" });
      await reader.cancel(reason);
    },
  });
}

function joined(pieces: readonly Uint8Array[], bytes: number): Uint8Array {
  const whole = new Uint8Array(bytes);
  let offset = 0;
  for (const piece of pieces) {
    whole.set(piece, offset);
    offset += piece.byteLength;
  }
  return whole;
}
