/** Moves the parts of a snapshot between this disk and the session's storage, and proves what arrived. */
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { allParts, type InheritedPart, type SnapshotRef } from "@ai-dev-platform/protocol/snapshot";
import { packName } from "@ai-dev-platform/protocol/packs/pack-name";
import type { FetchedPack } from "./packs/restore-packs.ts";
import type { PartFile } from "./snapshot-format.ts";

export interface Remote {
  /** The server's origin, http or https. */
  server: string;
  sessionId: string;
  linkToken: string;
  /** First wait before asking again; doubled each time. */
  retryPauseMs?: number;
}

export type Sent = { ok: true } | { ok: false; detail: string };
/** `damaged`: it arrived, or is gone, and will never be whole. `unreachable`: it may work later. */
export type Fetched = { ok: true; packs: FetchedPack[] } | { ok: false; reason: "damaged" | "unreachable"; detail: string };

/** Enough to fill a line with a long way to it; few enough to hold in memory (32 MB each). */
const FETCHED_AT_ONCE = 4;
const ATTEMPTS = 4;
const RETRY_PAUSE_MS = 500;
/** 32 MB over a slow line. */
const PART_TIMEOUT_MS = 5 * 60_000;

export async function sendParts(remote: Remote, snapshotId: string, parts: readonly PartFile[]): Promise<Sent> {
  for (const [index, part] of parts.entries()) {
    const body = await readFile(part.file);
    const headers = { ...authorization(remote), "content-type": "application/octet-stream", "x-part-sha256": part.sha256 };
    const response = await request(remote, partUrl(remote, snapshotId, index), { method: "PUT", headers, body }, 0);
    // A part that is stored already is the same one: its name holds this snapshot's random id.
    if (response.status >= 300 && response.status !== 409 && response.status !== 412)
      return { ok: false, detail: `storing part ${index + 1} failed (${describe(response)})` };
  }
  return { ok: true };
}

/** Every pack that a snapshot is read from, several at a time. */
export async function fetchPacks(remote: Remote, snapshot: SnapshotRef, into: string): Promise<Fetched> {
  const parts = allParts(snapshot);
  const packs: FetchedPack[] = [];
  let refused: Refused | null = null;
  let next = 0;
  const work = async () => {
    while (refused === null && next < parts.length) {
      const index = next;
      next += 1;
      const part = parts[index];
      if (part === undefined) return;
      const fetched = await fetchPack(remote, part, path.join(into, `pack-${index}`), index);
      if ("pack" in fetched) packs[index] = fetched.pack;
      else refused ??= fetched;
    }
  };
  await Promise.all(Array.from({ length: FETCHED_AT_ONCE }, work));
  return refused ?? { ok: true, packs };
}

type Refused = Extract<Fetched, { ok: false }>;

async function fetchPack(remote: Remote, part: InheritedPart, file: string, index: number): Promise<{ pack: FetchedPack } | Refused> {
  const url = partUrl(remote, part.snapshotId, part.part);
  const response = await request(remote, url, { method: "GET", headers: authorization(remote) }, part.bytes);
  if (response.status === 404) return { ok: false, reason: "damaged", detail: `part ${index + 1} is missing` };
  if (response.status !== 200)
    return { ok: false, reason: "unreachable", detail: `part ${index + 1} could not be read (${describe(response)})` };
  if (response.body.length !== part.bytes) return { ok: false, reason: "damaged", detail: `part ${index + 1} has another size` };
  if (createHash("sha256").update(response.body).digest("hex") !== part.sha256)
    return { ok: false, reason: "damaged", detail: `part ${index + 1} has another content` };
  await writeFile(file, response.body, { mode: 0o600 });
  return { pack: { name: packName(part), file, bytes: part.bytes, sha256: part.sha256 } };
}

const partUrl = (remote: Remote, snapshotId: string, index: number): string =>
  new URL(`/runner/sessions/${remote.sessionId}/snapshots/${snapshotId}/${index}`, remote.server).href;

const authorization = (remote: Remote): Record<string, string> => ({ authorization: `Bearer ${remote.linkToken}` });

interface Answer {
  /** 0 when there was none. */
  status: number;
  body: Buffer;
  failure: string;
}

const describe = (response: Answer): string => (response.status === 0 ? response.failure : `status ${response.status}`);

/** Asks again when the answer may be another one later; a refusal is final. Of a success, `maxBytes` and one more are read. */
async function request(remote: Remote, url: string, init: RequestInit, maxBytes: number): Promise<Answer> {
  let last: Answer = { status: 0, body: Buffer.alloc(0), failure: "not tried" };
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    if (attempt > 0) await wait((remote.retryPauseMs ?? RETRY_PAUSE_MS) * 2 ** (attempt - 1));
    last = await once(url, init, maxBytes);
    if (last.status !== 0 && last.status < 500 && last.status !== 429) return last;
  }
  return last;
}

async function once(url: string, init: RequestInit, maxBytes: number): Promise<Answer> {
  try {
    const response = await fetch(url, { ...init, redirect: "error", signal: AbortSignal.timeout(PART_TIMEOUT_MS) });
    // What a refusal says is of no use; and whatever the server is, it does not fill this memory.
    const body = await readAtMost(response, response.ok ? maxBytes + 1 : 0);
    return { status: response.status, body, failure: "" };
  } catch (error) {
    return { status: 0, body: Buffer.alloc(0), failure: error instanceof Error ? error.message : "the connection failed" };
  }
}

async function readAtMost(response: Response, maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  const reader = response.body?.getReader();
  while (reader !== undefined && bytes < maxBytes) {
    const { done, value } = await reader.read();
    if (done) break;
    chunks.push(value.subarray(0, maxBytes - bytes));
    bytes += value.length;
  }
  await reader?.cancel();
  return Buffer.concat(chunks);
}
