/** Brings the session's uploaded archive onto this disk. */
import { createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as wait } from "node:timers/promises";
import { MAX_IMPORT_BYTES } from "@ai-dev-platform/protocol/limits";
import type { Remote } from "../transfer.ts";

/** `missing`: it is gone for good. */
export type FetchedImport = { ok: true } | { ok: false; reason: "missing" | "unreachable"; detail: string };

const ATTEMPTS = 4;
const RETRY_PAUSE_MS = 500;
/** 95 MB over a slow line. */
const FETCH_TIMEOUT_MS = 10 * 60_000;

export async function fetchImport(remote: Remote, file: string): Promise<FetchedImport> {
  let detail = "";
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    if (attempt > 0) await wait((remote.retryPauseMs ?? RETRY_PAUSE_MS) * 2 ** (attempt - 1));
    const fetched = await once(remote, file).catch((error: unknown) => (error instanceof Error ? error.message : String(error)));
    if (typeof fetched !== "string") return fetched;
    detail = fetched;
  }
  return { ok: false, reason: "unreachable", detail };
}

/** A text says what went wrong this time. */
async function once(remote: Remote, file: string): Promise<FetchedImport | string> {
  const response = await fetch(new URL(`/runner/sessions/${remote.sessionId}/import`, remote.server), {
    headers: { authorization: `Bearer ${remote.linkToken}` },
    redirect: "error",
    signal: AbortSignal.timeout(FETCH_TIMEOUT_MS),
  });
  if (response.status === 404 || response.status === 410) return { ok: false, reason: "missing", detail: "" };
  if (response.status !== 200 || response.body === null) return `status ${response.status}`;
  const promised = Number(response.headers.get("content-length"));
  let bytes = 0;
  async function* counted(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of source) {
      bytes += chunk.length;
      if (bytes > MAX_IMPORT_BYTES) throw new Error("the archive is too large");
      yield chunk;
    }
  }
  await pipeline(Readable.fromWeb(response.body), counted, createWriteStream(file, { mode: 0o600 }));
  return bytes === promised ? { ok: true } : "the archive arrived cut short";
}
