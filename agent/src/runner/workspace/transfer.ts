/** Moves the parts of a snapshot between this disk and the session's storage, and proves what arrived. */
import { createHash } from "node:crypto";
import { openAsBlob } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { ERRORS } from "@ai-dev-platform/protocol/errors";
import type { InheritedPart } from "@ai-dev-platform/protocol/snapshot";
import { packName } from "@ai-dev-platform/protocol/packs/pack-name";
import { type PackSource, Refusal, Unreachable } from "./hydrate/pack-source.ts";
import { MAX_RANGE_BYTES } from "./hydrate/ranges.ts";
import type { PartFile } from "./snapshot-format.ts";

export interface Remote {
  /** The server's origin, http or https. */
  server: string;
  sessionId: string;
  linkToken: string;
  /** First wait before asking again; doubled each time. */
  retryPauseMs?: number;
}

/** `isFull`: the owner's storage has no room for it. */
export type Sent = { ok: true } | { ok: false; isFull: boolean; detail: string };
/** Read at once from the end of a pack: its footer, and for all but large trees its whole table. */
const END_BYTES = 262_144;
/** The status of `quota_exceeded`: asking again at once changes nothing. */
const NO_ROOM = ERRORS.quota_exceeded.status;
const ATTEMPTS = 4;
const RETRY_PAUSE_MS = 500;
/** 32 MB over a slow line. */
const PART_TIMEOUT_MS = 5 * 60_000;

export async function sendParts(remote: Remote, snapshotId: string, parts: readonly PartFile[]): Promise<Sent> {
  for (const [index, part] of parts.entries()) {
    // Read as it is sent: a part is not held in memory.
    const body = await openAsBlob(part.file);
    const headers = { ...authorization(remote), "content-type": "application/octet-stream", "x-part-sha256": part.sha256 };
    const response = await request(remote, partUrl(remote, snapshotId, index), { method: "PUT", headers, body }, 0);
    // A part that is stored already is the same one: its name holds this snapshot's random id.
    if (response.status >= 300 && response.status !== 409 && response.status !== 412)
      return { ok: false, isFull: response.status === NO_ROOM, detail: `storing part ${index + 1} failed (${describe(response)})` };
  }
  return { ok: true };
}

/** A stored pack, read by ranges. One that fits into the first range is compared with its reference as a whole. */
export class RemotePack implements PackSource {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly #remote: Remote;
  readonly #url: string;
  readonly #endFrom: number;
  #end: Promise<Uint8Array> | null = null;
  /** From a server that knows no ranges. */
  #whole: Uint8Array | null = null;

  constructor(remote: Remote, part: InheritedPart) {
    this.name = packName(part);
    this.bytes = part.bytes;
    this.sha256 = part.sha256;
    this.#remote = remote;
    this.#url = partUrl(remote, part.snapshotId, part.part);
    this.#endFrom = Math.max(0, part.bytes - END_BYTES);
  }

  async read(offset: number, bytes: number): Promise<Uint8Array> {
    const to = offset + bytes;
    if (offset < 0 || to > this.bytes) throw new Refusal("a pack ends too early");
    if (to <= this.#endFrom) return this.#range(offset, to);
    this.#end ??= this.#range(this.#endFrom, this.bytes);
    const end = await this.#end;
    if (offset >= this.#endFrom) return end.subarray(offset - this.#endFrom, to - this.#endFrom);
    return Buffer.concat([await this.#range(offset, this.#endFrom), end.subarray(0, to - this.#endFrom)]);
  }

  async forgetEnd(): Promise<void> {
    if (this.#endFrom > 0) this.#end = null;
  }

  async close(): Promise<void> {
    this.#end = null;
    this.#whole = null;
  }

  async #range(from: number, to: number): Promise<Uint8Array> {
    if (to - from <= MAX_RANGE_BYTES) return this.#piece(from, to);
    const pieces: Uint8Array[] = [];
    for (let at = from; at < to; at += MAX_RANGE_BYTES) pieces.push(await this.#piece(at, Math.min(to, at + MAX_RANGE_BYTES)));
    return Buffer.concat(pieces);
  }

  async #piece(from: number, to: number): Promise<Uint8Array> {
    if (this.#whole !== null) return this.#whole.subarray(from, to);
    const headers = { ...authorization(this.#remote), range: `bytes=${from}-${to - 1}` };
    const response = await request(this.#remote, this.#url, { method: "GET", headers }, this.bytes);
    if (response.status === 404) throw new Refusal(`part ${this.name} is missing`);
    if (response.status === 200) return (this.#whole = this.#checked(response.body)).subarray(from, to);
    if (response.status !== 206) throw new Unreachable(`part ${this.name} could not be read (${describe(response)})`);
    if (response.range !== `bytes ${from}-${to - 1}/${this.bytes}` || response.body.length !== to - from)
      throw new Refusal(`part ${this.name} has another size`);
    if (response.sha256 !== "" && response.sha256 !== this.sha256) throw new Refusal(`part ${this.name} has another content`);
    return from === 0 && to === this.bytes ? this.#checked(response.body) : response.body;
  }

  #checked(body: Buffer): Buffer {
    if (body.length !== this.bytes) throw new Refusal(`part ${this.name} has another size`);
    if (createHash("sha256").update(body).digest("hex") !== this.sha256) throw new Refusal(`part ${this.name} has another content`);
    return body;
  }
}

const partUrl = (remote: Remote, snapshotId: string, index: number): string =>
  new URL(`/runner/sessions/${remote.sessionId}/snapshots/${snapshotId}/${index}`, remote.server).href;

const authorization = (remote: Remote): Record<string, string> => ({ authorization: `Bearer ${remote.linkToken}` });

interface Answer {
  /** 0 when there was none. */
  status: number;
  body: Buffer;
  /** `content-range` and `x-part-sha256`, as sent; "" without. */
  range: string;
  sha256: string;
  failure: string;
}

const noAnswer = (failure: string): Answer => ({ status: 0, body: Buffer.alloc(0), range: "", sha256: "", failure });

const describe = (response: Answer): string => (response.status === 0 ? response.failure : `status ${response.status}`);

/** Asks again when the answer may be another one later; a refusal is final. Of a success, `maxBytes` and one more are read. */
async function request(remote: Remote, url: string, init: RequestInit, maxBytes: number): Promise<Answer> {
  let last = noAnswer("not tried");
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    if (attempt > 0) await wait((remote.retryPauseMs ?? RETRY_PAUSE_MS) * 2 ** (attempt - 1));
    last = await once(url, init, maxBytes);
    if (last.status === NO_ROOM || (last.status !== 0 && last.status < 500 && last.status !== 429)) return last;
  }
  return last;
}

async function once(url: string, init: RequestInit, maxBytes: number): Promise<Answer> {
  try {
    const response = await fetch(url, { ...init, redirect: "error", signal: AbortSignal.timeout(PART_TIMEOUT_MS) });
    // What a refusal says is of no use; and whatever the server is, it does not fill this memory.
    const body = await readAtMost(response, response.ok ? maxBytes + 1 : 0);
    const { status, headers } = response;
    return { status, body, range: headers.get("content-range") ?? "", sha256: headers.get("x-part-sha256") ?? "", failure: "" };
  } catch (error) {
    return noAnswer(error instanceof Error ? error.message : "the connection failed");
  }
}

async function readAtMost(response: Response, maxBytes: number): Promise<Buffer> {
  const reader = response.body?.getReader();
  if (reader === undefined) return Buffer.alloc(0);
  // Told beforehand or not, what arrives is held once, not in pieces and then as a whole.
  let body = Buffer.allocUnsafe(Math.min(Number(response.headers.get("content-length")) || 0, maxBytes));
  let bytes = 0;
  while (bytes < maxBytes) {
    const { done, value } = await reader.read();
    if (done) break;
    const piece = value.subarray(0, maxBytes - bytes);
    const needed = bytes + piece.length;
    if (needed > body.length) body = Buffer.concat([body.subarray(0, bytes)], Math.min(maxBytes, 2 * needed));
    body.set(piece, bytes);
    bytes = needed;
  }
  await reader.cancel();
  return body.subarray(0, bytes);
}
