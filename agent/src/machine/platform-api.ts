/** Questions to the platform over HTTPS, with or without this computer's token. Answers are parsed; failures become words. */
import { isErrorCode, type ErrorCode } from "@ai-dev-platform/protocol/errors";
import * as z from "zod";

const REQUEST_TIMEOUT_MS = 20_000;

export interface Asked<S extends z.ZodType> {
  method?: "GET" | "POST" | "DELETE";
  token?: string;
  body?: object;
  /** Of the answer's JSON; absent for an answer without one. */
  schema: S;
}

export type Told<T> =
  | { ok: true; value: T; serverTime: number | null }
  | { ok: false; status: number; code: ErrorCode | "unreachable"; message: string; detail: string | null; retryAfterMs: number | null };

const errorSchema = z.object({ error: z.object({ code: z.string(), message: z.string(), detail: z.string().optional() }) });

export async function ask<S extends z.ZodType>(server: string, path: string, asked: Asked<S>): Promise<Told<z.infer<S>>> {
  const { method = asked.body === undefined ? "GET" : "POST", token, body, schema } = asked;
  let response: Response;
  let text: string;
  try {
    response = await fetch(new URL(path, server), {
      method,
      redirect: "error",
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
      headers: {
        accept: "application/json",
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    text = await response.text();
  } catch (error) {
    return unreachable(server, error);
  }
  const json = parse(text);
  if (!response.ok) return refused(response, json);
  const parsed = schema.safeParse(json);
  if (parsed.success) return { ok: true, value: parsed.data, serverTime: timeOf(response) };
  const message = `${server} answered, but not as this program expects. It may be another version, or another service.`;
  return { ok: false, status: response.status, code: "incompatible_version", message, detail: null, retryAfterMs: null };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function timeOf(response: Response): number | null {
  const time = Date.parse(response.headers.get("date") ?? "");
  return Number.isNaN(time) ? null : time;
}

function refused(response: Response, json: unknown): Told<never> {
  const { status } = response;
  const seconds = Number(response.headers.get("retry-after") ?? Number.NaN);
  const retryAfterMs = Number.isFinite(seconds) ? seconds * 1_000 : null;
  const parsed = errorSchema.safeParse(json);
  if (parsed.success && isErrorCode(parsed.data.error.code)) {
    const { code, message, detail = null } = parsed.data.error;
    if (isErrorCode(code)) return { ok: false, status, code, message, detail, retryAfterMs };
  }
  const code = status >= 500 ? "unavailable" : "not_found";
  const message = `The server answered with status ${status}. Is this the address of an AI Dev Platform?`;
  return { ok: false, status, code, message, detail: null, retryAfterMs };
}

function unreachable(server: string, error: unknown): Told<never> {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const detail = cause instanceof Error ? cause.message : String(cause);
  return { ok: false, status: 0, code: "unreachable", message: `${server} cannot be reached.`, detail, retryAfterMs: null };
}
