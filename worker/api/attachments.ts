/**
 * Files that come with a message: written into the workspace before the agent is asked, each once (SPEC CA28). Text goes as it
 * is; what is not text (an image in a `data:` address) travels as base64 in pieces, because a frame to a runner is bounded, and
 * is put together there. The prompt names what was attached.
 */
import { executeSchema } from "@ai-dev-platform/protocol/api/execute";
import { ERRORS, isErrorCode } from "@ai-dev-platform/protocol/errors";
import { formatId } from "@ai-dev-platform/protocol/ids";
import { AppError } from "../errors.ts";
import { sessionStub } from "../session/stub.ts";
import { attach } from "./attach.ts";
import type { ApiCaller } from "./caller.ts";
import { actorOf, authorOf } from "./code-message.ts";

export interface AttachedUrl {
  url: string;
  name: string | null;
  /** Of the request, for a refusal. */
  param: string;
}

export interface Attachment {
  path: string;
  base64: string;
}

const FOLDER = ".attachments";
/** In JSON, of the files in one frame: well below MAX_FRAME_BYTES. */
const MAX_BATCH_CHARS = 600_000;
const PIECE_CHARS = 300_000;
/** Of all that comes with one message. */
const MAX_ATTACHED_CHARS = 6_000_000;

const EXTENSIONS: Readonly<Record<string, string>> = {
  "image/png": "png",
  "image/jpeg": "jpg",
  "image/gif": "gif",
  "image/webp": "webp",
  "image/svg+xml": "svg",
  "application/pdf": "pdf",
  "application/json": "json",
  "text/plain": "txt",
  "text/markdown": "md",
  "text/csv": "csv",
};

const DATA_URL = /^data:([\w.+-]+\/[\w.+-]+)(?:;[\w=.+-]+)*;base64,/i;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/** Refuses what is not a `data:` address of a kind that is known. */
export function attachmentsOf(urls: readonly AttachedUrl[], messageId: string): Attachment[] {
  const attachments = urls.map(({ url, param }, index): Attachment => {
    const head = DATA_URL.exec(url);
    const extension = EXTENSIONS[head?.[1]?.toLowerCase() ?? ""];
    if (head === null || extension === undefined) {
      throw new AppError("bad_request", {
        param,
        detail: "send the file itself as a base64 data: URL; the agent fetches no addresses for you",
      });
    }
    const base64 = url.slice(head[0].length);
    if (!BASE64.test(base64)) throw new AppError("bad_request", { param, detail: "not base64" });
    return { path: `${FOLDER}/${messageId}-${index + 1}.${extension}`, base64 };
  });
  if (attachments.reduce((sum, { base64 }) => sum + base64.length, 0) > MAX_ATTACHED_CHARS)
    throw new AppError("too_large", { detail: `attached files are at most ${MAX_ATTACHED_CHARS} characters of base64 together` });
  return attachments;
}

export function withAttached(prompt: string, attachments: readonly Attachment[]): string {
  if (attachments.length === 0) return prompt;
  const names = attachments.map(({ path }) => `- ${path}`).join("\n");
  return `${prompt === "" ? "Look at the attached files." : prompt}\n\nAttached files, in the workspace:\n${names}`;
}

/** What is written in one execution, and what puts pieces together after it. */
export interface Batch {
  files: Record<string, string>;
  code?: string;
}

/** Pure. Pieces of base64 first, their files last. */
export function batchesOf(texts: Readonly<Record<string, string>>, attachments: readonly Attachment[]): Batch[] {
  const pieces: [string, string][] = Object.entries(texts);
  const whole: Record<string, string[]> = {};
  for (const { path, base64 } of attachments) {
    const parts: string[] = [];
    for (let at = 0; at < base64.length; at += PIECE_CHARS) {
      const name = `${path}.part${parts.length + 1}`;
      parts.push(name);
      pieces.push([name, base64.slice(at, at + PIECE_CHARS)]);
    }
    whole[path] = parts;
  }
  const batches = packed(pieces);
  const last = batches.at(-1);
  if (last !== undefined && attachments.length > 0) last.code = joining(whole);
  return batches;
}

function packed(files: readonly [string, string][]): Batch[] {
  const batches: Batch[] = [];
  let room = 0;
  for (const [path, text] of files) {
    const chars = JSON.stringify(path).length + JSON.stringify(text).length;
    if (chars > MAX_BATCH_CHARS) throw new AppError("too_large", { param: "files", detail: "one of the files is too large" });
    if (chars > room || batches.length === 0) {
      batches.push({ files: {} });
      room = MAX_BATCH_CHARS;
    }
    room -= chars;
    const batch = batches.at(-1);
    if (batch !== undefined) batch.files[path] = text;
  }
  return batches;
}

/** Runs beside the files. Again after it was done, it finds no pieces and leaves what is there. */
const joining = (whole: Record<string, string[]>): string =>
  `import("node:fs").then(({ existsSync, readFileSync, rmSync, writeFileSync }) => {
  for (const [path, parts] of Object.entries(${JSON.stringify(whole)})) {
    if (!parts.every((part) => existsSync(part))) continue;
    writeFileSync(path, Buffer.from(parts.map((part) => readFileSync(part, "utf8")).join(""), "base64"));
    for (const part of parts) rmSync(part);
  }
});
`;

/** Resolves when all of it is in the workspace; the host is started for it. Under the same message id it is written once. */
export async function writeBatches(
  env: Env,
  caller: ApiCaller,
  place: { sessionId: string; messageId: string },
  batches: readonly Batch[],
  signal: AbortSignal,
): Promise<void> {
  for (const [index, { files, code }] of batches.entries()) {
    const executionId = await executionIdOf(place.messageId, index);
    const program = code === undefined ? {} : { language: "javascript", code };
    const request = { session_id: place.sessionId, files, ...program };
    await runToEnd(env, caller, place.sessionId, { executionId, request: executeSchema.parse(request), author: authorOf(caller) }, signal);
  }
}

async function executionIdOf(messageId: string, index: number): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(`files\n${messageId}\n${index}`));
  return formatId("execution", new Uint8Array(digest));
}

type Started = Parameters<ReturnType<typeof sessionStub>["startExecution"]>[0];

async function runToEnd(env: Env, caller: ApiCaller, sessionId: string, execution: Started, signal: AbortSignal): Promise<void> {
  const started = await sessionStub(env, sessionId).startExecution(execution);
  if (!started.ok) {
    const code = started.code === "conflict" ? "idempotency_conflict" : started.code;
    throw new AppError(code, started.detail === undefined ? {} : { detail: started.detail });
  }
  const attached = await attach(env, sessionId, actorOf(caller), started.seq - 1, signal);
  try {
    for await (const frame of attached.frames()) {
      if (frame.type !== "events") continue;
      for (const { event } of frame.entries) {
        if (event.type === "host_changed" && event.state === "failed") throw problemError(event.problem?.code, event.problem?.detail);
        if (event.type !== "execution_ended" || event.executionId !== execution.executionId) continue;
        if (event.status === "completed") return;
        throw problemError(event.problem?.code, event.problem?.detail ?? event.stderr.slice(0, 500));
      }
    }
  } finally {
    attached.close();
  }
}

function problemError(code: string | undefined, detail: string | undefined): AppError {
  const known = code !== undefined && isErrorCode(code) ? code : "unavailable";
  return new AppError(known, { detail: detail ?? ERRORS[known].message });
}
