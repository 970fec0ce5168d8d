/**
 * /runner: what a session's runner dials. Its link, which the session itself judges, and its snapshots' parts, which
 * pass between the runner and R2 as streams. Only the current incarnation opens these, and only its own
 * session's: by its link token; out of a sandbox by what the platform vouches for and by a token (SPEC RN6, SN8).
 */
import { Hono } from "hono";
import * as z from "zod";
import { sessionIdSchema, snapshotIdSchema } from "@ai-dev-platform/protocol/ids";
import { MAX_SNAPSHOT_PART_BYTES, MAX_SNAPSHOT_PARTS } from "@ai-dev-platform/protocol/limits";
import { AppError, toResponse } from "../errors.ts";
import type { AppContext, AppEnv } from "../middleware/auth.ts";
import { VOUCHED_LINK_PATH, type PartUpload } from "../session/api.ts";
import { sessionStub } from "../session/stub.ts";
import { importName, partName } from "../snapshots/names.ts";
import { getPart, getRange, putPart } from "../snapshots/store.ts";
import { pathId } from "./owned.ts";
import { bearerToken, requireUpgrade } from "./socket-door.ts";

const LINK = "/runner/sessions/:id/link";
const PART = "/runner/sessions/:id/snapshots/:snapshotId/:n";
const IMPORT = "/runner/sessions/:id/import";
const partNumberSchema = z
  .string()
  .regex(/^(0|[1-9]\d?)$/)
  .refine((n) => Number(n) < MAX_SNAPSHOT_PARTS);
const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/);

/** Throws unless the caller is this session's current runner and, if it is about to store a part, may do that. */
type Authorize = (c: AppContext, sessionId: string, upload?: PartUpload) => Promise<void>;

export const runnerRoutes = new Hono<AppEnv>();

runnerRoutes.get(LINK, async (c) => {
  const sessionId = pathId(c, sessionIdSchema);
  requireToken(c);
  requireUpgrade(c.req.raw);
  return sessionStub(c.env, sessionId).fetch(c.req.raw);
});

runnerRoutes.route("/", partRoutes(byLinkToken));

/**
 * The same doors for a sandbox's runner. `identity` is the platform's word on the container, and the first thing asked. As all
 * processes in the container have it, each door wants a token too, which the agent there cannot read.
 */
export function vouchedRunnerRoutes(identity: { sessionId: string; incarnation: number }): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();
  routes.get(LINK, async (c) => {
    requireOwn(identity, pathId(c, sessionIdSchema));
    requireToken(c);
    requireUpgrade(c.req.raw);
    const door = new URL(`${VOUCHED_LINK_PATH}?incarnation=${identity.incarnation}`, "http://session.invalid");
    return sessionStub(c.env, identity.sessionId).fetch(new Request(door, c.req.raw));
  });
  const byIdentity: Authorize = async (c, sessionId, upload) => {
    requireOwn(identity, sessionId);
    const call = { incarnation: identity.incarnation, transferToken: requireToken(c), ...(upload === undefined ? {} : { upload }) };
    const verdict = await sessionStub(c.env, sessionId).authorizeTransfer(call);
    if (!verdict.ok) throw new AppError(verdict.code);
  };
  routes.route("/", partRoutes(byIdentity));
  routes.notFound(() => toResponse(new AppError("not_found"), ""));
  routes.onError((error) => toResponse(error instanceof AppError ? error : new AppError("internal", { cause: error }), ""));
  return routes;
}

function requireToken(c: AppContext): string {
  const token = bearerToken(c.req.raw);
  if (token === null) throw new AppError("not_signed_in", { detail: "The token is missing." });
  return token;
}

function requireOwn(identity: { sessionId: string }, sessionId: string): void {
  if (sessionId !== identity.sessionId) throw new AppError("not_found");
}

function partRoutes(authorize: Authorize): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();
  routes.put(PART, (c) => storePart(c, authorize));
  routes.get(PART, async (c) => {
    const part = partOf(c);
    await authorize(c, part.sessionId);
    return sendPart(c, partName(part.sessionId, part.snapshotId, part.part));
  });
  routes.get(IMPORT, (c) => sendImport(c, authorize));
  return routes;
}

/** Whole, or one range of it: a runner reads the end of a pack first, and then only what it needs (SPEC SN4). */
async function sendPart(c: AppContext, name: string): Promise<Response> {
  const header = c.req.header("range");
  const range = header === undefined ? null : parseRange(header);
  if (header !== undefined && range === null) return c.body(null, 416);
  const part = range === null ? await getPart(c.env.BUCKET, name) : await getRange(c.env.BUCKET, name, range);
  if (part === null) throw new AppError("not_found");
  if (part === "outside") return c.body(null, 416);
  const { offset, length } = part.range;
  return c.body(part.body, range === null ? 200 : 206, {
    "content-type": "application/octet-stream",
    "content-length": String(length),
    "x-part-sha256": part.sha256,
    "cache-control": "no-store",
    ...(range === null ? {} : { "content-range": `bytes ${offset}-${offset + length - 1}/${part.bytes}` }),
  });
}

/** `bytes=a-b` and nothing else: several ranges, open and suffix ranges are not asked for by any runner. */
function parseRange(header: string): { offset: number; length: number } | null {
  const [, first, last] = /^bytes=(\d{1,10})-(\d{1,10})$/.exec(header) ?? [];
  if (first === undefined || last === undefined || Number(last) < Number(first)) return null;
  return { offset: Number(first), length: Number(last) - Number(first) + 1 };
}

/** The archive that this session's workspace begins with, and no other (SPEC SN14). */
async function sendImport(c: AppContext, authorize: Authorize): Promise<Response> {
  const sessionId = pathId(c, sessionIdSchema);
  await authorize(c, sessionId);
  const source = await sessionStub(c.env, sessionId).archiveSource();
  if (source === null) throw new AppError("not_found");
  const object = await c.env.BUCKET.get(importName(source.ownerId, source.importId));
  if (object === null) throw new AppError("import_missing");
  const headers = { "content-type": "application/octet-stream", "content-length": String(object.size), "cache-control": "no-store" };
  return c.body(object.body, 200, headers);
}

async function storePart(c: AppContext, authorize: Authorize): Promise<Response> {
  const { sessionId, snapshotId, part } = partOf(c);
  const bytes = contentLength(c.req.raw);
  const sha256 = sha256Schema.safeParse(c.req.header("x-part-sha256"));
  if (!sha256.success) throw new AppError("bad_request", { detail: "x-part-sha256: 64 hex digits of the body's SHA-256" });
  const { body } = c.req.raw;
  if (body === null) throw new AppError("bad_request", { detail: "The body is empty." });
  await authorize(c, sessionId, { snapshotId, part, bytes });
  switch (await putPart(c.env.BUCKET, partName(sessionId, snapshotId, part), { bytes, sha256: sha256.data }, body)) {
    case "stored":
      return c.body(null, 201);
    case "already_stored":
      return c.body(null, 200);
    case "other_content":
      throw new AppError("conflict");
    case "damaged":
      throw new AppError("bad_request", { detail: "x-part-sha256 does not fit the body." });
  }
}

function partOf(c: AppContext): { sessionId: string; snapshotId: string; part: number } {
  const sessionId = pathId(c, sessionIdSchema);
  const snapshotId = pathId(c, snapshotIdSchema, "snapshotId");
  return { sessionId, snapshotId, part: Number(pathId(c, partNumberSchema, "n")) };
}

async function byLinkToken(c: AppContext, sessionId: string, upload?: PartUpload): Promise<void> {
  const token = bearerToken(c.req.raw);
  // A token names its session: another session's, or none, is refused without waking anything.
  if (token === null || !token.startsWith(`adpl_${sessionId}_`))
    throw new AppError("not_signed_in", { detail: "The link token is missing or wrong." });
  const verdict = await sessionStub(c.env, sessionId).authorizeRunner(token, upload);
  if (!verdict.ok) throw new AppError(verdict.code);
}

/** R2 takes streams of a known length only. */
function contentLength(request: Request): number {
  const header = request.headers.get("content-length");
  if (header === null || !/^\d+$/.test(header) || header === "0")
    throw new AppError("bad_request", { detail: "Content-Length is required." });
  const bytes = Number(header);
  if (bytes > MAX_SNAPSHOT_PART_BYTES) throw new AppError("too_large", { detail: `A part is at most ${MAX_SNAPSHOT_PART_BYTES} bytes.` });
  return bytes;
}
