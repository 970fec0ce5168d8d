/**
 * Saved states as files for their owner (SPEC SN10): one archive of all, or one file, read from storage whether or not
 * anything runs. What can be known to be wrong before the first byte is an error as JSON; later, the transfer breaks off.
 */
import { Hono } from "hono";
import { ARCHIVE_DOWNLOADS, type SessionBody } from "@ai-dev-platform/protocol/http";
import { snapshotIdSchema } from "@ai-dev-platform/protocol/ids";
import { bytesOf } from "@ai-dev-platform/protocol/packs/manifest";
import { plainPath } from "@ai-dev-platform/protocol/workspace-view";
import * as z from "zod";
import { AppError } from "../errors.ts";
import { createLogger, errorFields } from "../log.ts";
import { requireUser, type AppContext, type AppEnv } from "../middleware/auth.ts";
import { sessionStub } from "../session/stub.ts";
import { archiveOf } from "../snapshots/archive.ts";
import { BlockReader } from "../snapshots/block-reader.ts";
import { r2PackStore, Unreadable } from "../snapshots/pack-store.ts";
import { follow } from "../snapshots/saved-paths.ts";
import { readSavedTree, type SavedTree } from "../snapshots/saved-tree.ts";
import { ownSession, pathId } from "./owned.ts";

const log = createLogger("downloads");
const HEAD = "head";
const stateSchema = z.union([z.literal(HEAD), snapshotIdSchema]);
const archiveQuerySchema = z.object({ format: z.enum(ARCHIVE_DOWNLOADS), git: z.enum(["0", "1"]).default("0") });
const CONTENT_TYPES = { zip: "application/zip", tar: "application/x-tar" } as const;
const MAX_NAME_CHARS = 80;

export const downloadsRoutes = new Hono<AppEnv>();

downloadsRoutes.get("/api/sessions/:id/snapshots/:snapshotId/archive", requireUser, async (c) => {
  const session = await ownSession(c);
  const query = archiveQuerySchema.safeParse(c.req.query());
  if (!query.success) throw new AppError("bad_request", { detail: "format: zip or tar; git: 0 or 1" });
  const { format, git } = query.data;
  const { open, bytes } = await readable(async () => archiveOf(await savedTree(c, session), format, git === "1", new Date()));
  const name = fileName(session.title);
  return download(c, { open, bytes, name: `${name}.${format}`, type: CONTENT_TYPES[format] });
});

downloadsRoutes.get("/api/sessions/:id/snapshots/:snapshotId/file", requireUser, async (c) => {
  const session = await ownSession(c);
  const path = plainPath(c.req.query("path") ?? "");
  if (path === null || path === "") throw new AppError("bad_request", { detail: "path: of a file in the workspace" });
  const { open, bytes } = await readable(async () => {
    const tree = await savedTree(c, session);
    const entry = follow(tree.entries, path)?.entry ?? null;
    if (entry?.kind !== "file") throw new AppError("not_found", { detail: "There is no such file in the saved state." });
    return { open: await begun(new BlockReader(tree, [entry]).content(entry)), bytes: bytesOf(entry) };
  });
  return download(c, { open, bytes, name: path.slice(path.lastIndexOf("/") + 1), type: "application/octet-stream" });
});

/** The state in the path, which the session must still keep. */
async function savedTree(c: AppContext, { sessionId }: SessionBody): Promise<SavedTree> {
  const wanted = pathId(c, stateSchema, "snapshotId");
  const state = await sessionStub(c.env, sessionId).savedState(wanted === HEAD ? null : wanted);
  if (!state.ok) throw new AppError(state.code, { detail: "That saved state is not kept." });
  return readSavedTree(r2PackStore(c.env.BUCKET, sessionId), state.fork.snapshot);
}

async function readable<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof Unreadable) throw new AppError(error.code, { detail: error.message, cause: error });
    throw error;
  }
}

/** With its first piece read: a small file is then known to be whole, and a damaged one is an answer instead of a torn file. */
async function begun(pieces: AsyncGenerator<Uint8Array>): Promise<() => ReadableStream<Uint8Array>> {
  let first: IteratorResult<Uint8Array> | null = await pieces.next();
  return () =>
    new ReadableStream<Uint8Array>({
      async pull(controller) {
        const next = first ?? (await pieces.next());
        first = null;
        if (next.done === true) controller.close();
        else controller.enqueue(next.value);
      },
      cancel: async () => void (await pieces.return(undefined)),
    });
}

interface Download {
  open(): ReadableStream<Uint8Array>;
  bytes: number | null;
  name: string;
  type: string;
}

/** Never shown in the page's own origin: a file of a project may be a page with scripts. */
function download(c: AppContext, { open, bytes, name, type }: Download): Response {
  const headers = {
    "content-type": type,
    "content-disposition": attachment(name),
    "cache-control": "no-store",
    ...(bytes === null ? {} : { "content-length": String(bytes) }),
  };
  if (c.req.raw.method === "HEAD") return c.body(null, 200, headers);
  const { readable: sent, writable } = bytes === null ? new IdentityTransformStream() : new FixedLengthStream(bytes);
  const sending = pass(open(), writable).catch((error: unknown) => {
    // Anything else is a browser that has gone.
    if (error instanceof Unreadable) log.error("broken_off", { requestId: c.get("requestId"), ...errorFields(error) });
  });
  c.executionCtx.waitUntil(sending);
  return c.body(sent, 200, headers);
}

/** As `pipeTo`, whose own inner promise would also fail, unmet, when the browser goes away. */
async function pass(from: ReadableStream<Uint8Array>, to: WritableStream<Uint8Array>): Promise<void> {
  const writer = to.getWriter();
  writer.closed.catch(() => {});
  try {
    for await (const piece of from) await writer.write(piece);
    await writer.close();
  } catch (error) {
    await writer.abort(error).catch(() => {});
    throw error;
  }
}

/** For all browsers in plain letters, and as it is for those that read it (RFC 6266). */
export function attachment(name: string): string {
  const plain = name.replaceAll(/[^\w.+-]+/g, "_").replace(/^\.+/, "_");
  const whole = encodeURIComponent(name.toWellFormed()).replaceAll(/['()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`);
  return `attachment; filename="${plain === "" ? "file" : plain}"; filename*=UTF-8''${whole}`;
}

/** A title as the name of a file on any system. */
export function fileName(title: string): string {
  // oxlint-disable-next-line no-control-regex -- those are what must go
  const name = title.replaceAll(/[\u0000-\u001f\u007f\\/:*?"<>|]+/g, " ").replaceAll(/\s+/g, " ");
  return name.slice(0, MAX_NAME_CHARS).replaceAll(/^[. ]+|[. ]+$/g, "") || "session";
}
