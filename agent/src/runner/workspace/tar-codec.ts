/**
 * Entries as tar blocks, and back. Pure, and deliberately narrow: it writes plain POSIX tar that any tool can read,
 * and reads only what it writes. Odd or long names and targets travel in a pax header, by length, never by line.
 */
import { Header } from "tar";

export const BLOCK_BYTES = 512;
/** A pax header holds one path and one target, each at most 4 KB. */
export const MAX_PAX_BYTES = 16_384;

export interface TarEntry {
  path: string;
  kind: "file" | "folder" | "link";
  mode: number;
  bytes: number;
  target: string;
  mtimeMs: number;
}

export type DecodedHeader =
  | { kind: "end" }
  /** The next header's path and target; `bytes` of records follow. */
  | { kind: "pax"; bytes: number }
  | { kind: "entry"; entry: TarEntry }
  | { kind: "refused"; detail: string };

export interface PaxRecords {
  path?: string;
  linkpath?: string;
  size?: string;
}

const TYPES = { file: "File", folder: "Directory", link: "SymbolicLink" } as const;
const PLAIN = /^[\x21-\x7e]+$/;
/** A name field holds 100 bytes, and a folder's ends with "/". */
const MAX_PLAIN_CHARS = 98;
const MAX_FIELD_BYTES = 8_589_934_591;

const isPlain = (text: string): boolean => text.length <= MAX_PLAIN_CHARS && PLAIN.test(text);

export function encodeEntry(entry: TarEntry): Buffer {
  const records: PaxRecords = {};
  if (!isPlain(entry.path)) records.path = entry.path;
  if (entry.target !== "" && !isPlain(entry.target)) records.linkpath = entry.target;
  if (entry.bytes > MAX_FIELD_BYTES) records.size = String(entry.bytes);
  const header = encodeHeader({
    path: records.path === undefined ? entry.path : "pax",
    type: TYPES[entry.kind],
    mode: entry.mode,
    size: entry.bytes,
    mtimeMs: entry.mtimeMs,
    linkpath: records.linkpath === undefined ? entry.target : "pax",
  });
  if (Object.keys(records).length === 0) return header;
  const body = encodePax(records);
  const paxHeader = encodeHeader({ path: "pax", type: "ExtendedHeader", mode: 0o644, size: body.length, mtimeMs: 0, linkpath: "" });
  return Buffer.concat([paxHeader, body, padding(body.length), header]);
}

interface HeaderFields {
  path: string;
  type: "File" | "Directory" | "SymbolicLink" | "ExtendedHeader" | "Link" | "FIFO" | "CharacterDevice";
  mode: number;
  size: number;
  mtimeMs: number;
  linkpath: string;
}

export function encodeHeader(fields: HeaderFields): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES);
  new Header({
    path: fields.path,
    type: fields.type,
    mode: fields.mode,
    size: fields.size,
    mtime: new Date(Math.max(0, Math.floor(fields.mtimeMs / 1_000)) * 1_000),
    linkpath: fields.linkpath,
    uid: 0,
    gid: 0,
  }).encode(block);
  return block;
}

export const padding = (bytes: number): Buffer => Buffer.alloc((BLOCK_BYTES - (bytes % BLOCK_BYTES)) % BLOCK_BYTES);
/** Two empty blocks end an archive. */
export const endOfArchive = (): Buffer => Buffer.alloc(2 * BLOCK_BYTES);

export function decodeHeader(block: Buffer, pax: PaxRecords): DecodedHeader {
  const header = new Header(block, 0);
  if (header.nullBlock) return { kind: "end" };
  if (!header.cksumValid) return { kind: "refused", detail: "a header's checksum is wrong" };
  const bytes = pax.size === undefined ? (header.size ?? 0) : Number(pax.size);
  if (!Number.isSafeInteger(bytes) || bytes < 0) return { kind: "refused", detail: "an entry has no proper size" };
  if (header.type === "ExtendedHeader") {
    return bytes <= MAX_PAX_BYTES ? { kind: "pax", bytes } : { kind: "refused", detail: "an extended header is too large" };
  }
  const kind = header.type === "File" ? "file" : header.type === "Directory" ? "folder" : header.type === "SymbolicLink" ? "link" : null;
  if (kind === null) return { kind: "refused", detail: `an entry of type ${header.type} is not accepted` };
  const path = pax.path ?? header.path ?? "";
  const target = kind === "link" ? (pax.linkpath ?? header.linkpath ?? "") : "";
  const mode = header.mode ?? 0;
  const mtimeMs = header.mtime?.getTime() ?? 0;
  return { kind: "entry", entry: { path, kind, mode, bytes: kind === "file" ? bytes : 0, target, mtimeMs } };
}

export function encodePax(records: PaxRecords): Buffer {
  const encoded = Object.entries(records).map(([key, value]) => {
    const rest = ` ${key}=${value}\n`;
    const restBytes = Buffer.byteLength(rest);
    // The length counts its own digits.
    let length = restBytes + String(restBytes).length;
    if (restBytes + String(length).length !== length) length = restBytes + String(length).length;
    return `${length}${rest}`;
  });
  return Buffer.from(encoded.join(""), "utf8");
}

/** Null when the records are malformed. Keys that are not ours are passed over. */
export function decodePax(body: Buffer): PaxRecords | null {
  const records: PaxRecords = {};
  let at = 0;
  while (at < body.length) {
    const space = body.indexOf(0x20, at);
    const length = space < 0 ? Number.NaN : Number(body.toString("latin1", at, space));
    if (!Number.isSafeInteger(length) || length <= space - at || at + length > body.length || body[at + length - 1] !== 0x0a) return null;
    const record = body.toString("utf8", space + 1, at + length - 1);
    const equals = record.indexOf("=");
    if (equals < 0) return null;
    const key = record.slice(0, equals);
    if (key === "path" || key === "linkpath" || key === "size") records[key] = record.slice(equals + 1);
    at += length;
  }
  return records;
}
