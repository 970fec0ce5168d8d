/** POST /api/imports: an archive on its way to become a project. Streamed into R2 as it comes; unpacked where the session runs. */
import { Hono } from "hono";
import * as z from "zod";
import type { ImportBody } from "@ai-dev-platform/protocol/http";
import { IMPORT_TTL_MS, MAX_IMPORT_BYTES } from "@ai-dev-platform/protocol/limits";
import { ARCHIVE_FORMATS } from "@ai-dev-platform/protocol/modes";
import { IMPORT_RULE } from "../config.ts";
import { deleteImportRow, insertImport } from "../db/imports.ts";
import { AppError } from "../errors.ts";
import { newId } from "../ids.ts";
import { requireUser, type AppEnv } from "../middleware/auth.ts";
import { takeRate } from "../middleware/rate-limit.ts";
import { removeSpentImports } from "../snapshots/imports.ts";
import { importName } from "../snapshots/names.ts";
import { hasRoom } from "../snapshots/quota.ts";

const formatSchema = z.enum(ARCHIVE_FORMATS);

export const importsRoutes = new Hono<AppEnv>();

importsRoutes.post("/api/imports", requireUser, async (c) => {
  const { userId } = c.get("user");
  const format = formatSchema.safeParse(c.req.query("format"));
  if (!format.success) throw new AppError("bad_request", { detail: `format: one of ${ARCHIVE_FORMATS.join(", ")}` });
  const bytes = archiveBytes(c.req.raw);
  const { body } = c.req.raw;
  if (body === null) throw new AppError("bad_request", { detail: "The body is empty." });
  await takeRate(c.env, IMPORT_RULE, userId);
  const now = Date.now();
  await removeSpentImports(c.env, userId, now);
  const importId = newId("import");
  // The row reserves its bytes: two uploads at once do not both find the same room.
  await insertImport(c.env.DB, { importId, userId, format: format.data, bytes, createdAt: now });
  try {
    if (!(await hasRoom(c.env, userId, 0))) throw new AppError("quota_exceeded");
    await c.env.BUCKET.put(importName(userId, importId), body);
  } catch (cause) {
    await c.env.BUCKET.delete(importName(userId, importId));
    await deleteImportRow(c.env.DB, userId, importId);
    throw cause instanceof AppError ? cause : new AppError("unavailable", { cause });
  }
  return c.json({ importId, format: format.data, bytes, expiresAt: now + IMPORT_TTL_MS } satisfies ImportBody, 201);
});

/** R2 takes streams of a known length only. */
function archiveBytes(request: Request): number {
  const header = request.headers.get("content-length");
  if (header === null || !/^\d{1,15}$/.test(header) || Number(header) === 0)
    throw new AppError("bad_request", { detail: "Content-Length is required." });
  if (Number(header) > MAX_IMPORT_BYTES)
    throw new AppError("too_large", {
      detail: `An archive is at most ${MAX_IMPORT_BYTES / 1_048_576} MB. Leave out what can be installed again.`,
    });
  return Number(header);
}
