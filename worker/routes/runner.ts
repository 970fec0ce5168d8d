/**
 * /runner: what a session's runner dials. Its link, which the session itself judges, and its snapshots' parts, which
 * pass between the runner and R2 as streams. Only the current incarnation's link token opens these, and only its own session.
 */
import { Hono } from "hono";
import * as z from "zod";
import { sessionIdSchema, snapshotIdSchema } from "@ai-dev-platform/protocol/ids";
import { MAX_SNAPSHOT_PART_BYTES, MAX_SNAPSHOT_PARTS } from "@ai-dev-platform/protocol/limits";
import { AppError } from "../errors.ts";
import type { AppContext, AppEnv } from "../middleware/auth.ts";
import { sessionStub } from "../session/stub.ts";
import { partName } from "../snapshots/names.ts";
import { getPart, putPart } from "../snapshots/store.ts";
import { pathId } from "./owned.ts";
import { bearerToken, requireUpgrade } from "./socket-door.ts";

const PART = "/runner/sessions/:id/snapshots/:snapshotId/:n";
const partNumberSchema = z
  .string()
  .regex(/^(0|[1-9]\d?)$/)
  .refine((n) => Number(n) < MAX_SNAPSHOT_PARTS);
const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/);

export const runnerRoutes = new Hono<AppEnv>();

runnerRoutes.get("/runner/sessions/:id/link", async (c) => {
  const sessionId = pathId(c, sessionIdSchema);
  if (bearerToken(c.req.raw) === null) throw new AppError("not_signed_in", { detail: "The link token is missing." });
  requireUpgrade(c.req.raw);
  return sessionStub(c.env, sessionId).fetch(c.req.raw);
});

runnerRoutes.put(PART, async (c) => {
  const name = await authorizedPart(c);
  const bytes = contentLength(c.req.raw);
  const sha256 = sha256Schema.safeParse(c.req.header("x-part-sha256"));
  if (!sha256.success) throw new AppError("bad_request", { detail: "x-part-sha256: 64 hex digits of the body's SHA-256" });
  const { body } = c.req.raw;
  if (body === null) throw new AppError("bad_request", { detail: "The body is empty." });
  switch (await putPart(c.env.BUCKET, name, { bytes, sha256: sha256.data }, body)) {
    case "stored":
      return c.body(null, 201);
    case "already_stored":
      return c.body(null, 200);
    case "other_content":
      throw new AppError("conflict");
    case "damaged":
      throw new AppError("bad_request", { detail: "x-part-sha256 does not fit the body." });
  }
});

runnerRoutes.get(PART, async (c) => {
  const part = await getPart(c.env.BUCKET, await authorizedPart(c));
  if (part === null) throw new AppError("not_found");
  return c.body(part.body, 200, {
    "content-type": "application/octet-stream",
    "content-length": String(part.bytes),
    "x-part-sha256": part.sha256,
    "cache-control": "no-store",
  });
});

/** The part's name in R2, once the caller has shown to be this session's current runner. */
async function authorizedPart(c: AppContext): Promise<string> {
  const sessionId = pathId(c, sessionIdSchema);
  const snapshotId = pathId(c, snapshotIdSchema, "snapshotId");
  const n = Number(pathId(c, partNumberSchema, "n"));
  const token = bearerToken(c.req.raw);
  // A token names its session: another session's, or none, is refused without waking anything.
  if (token === null || !token.startsWith(`adpl_${sessionId}_`))
    throw new AppError("not_signed_in", { detail: "The link token is missing or wrong." });
  const verdict = await sessionStub(c.env, sessionId).authorizeRunner(token);
  if (!verdict.ok) throw new AppError(verdict.code);
  return partName(sessionId, snapshotId, n);
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
