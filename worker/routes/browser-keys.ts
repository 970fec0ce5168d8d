/**
 * Public keys of a user's browsers: shown, added, removed; and read by the person's own machines. The server only keeps them:
 * which of them a machine listens to is decided on that machine (SPEC SG3).
 */
import { Hono } from "hono";
import type * as z from "zod";
import type { BrowserKeyBody } from "@ai-dev-platform/protocol/http";
import { browserKeySchema, type BrowserKey, type machineBrowserKeysSchema } from "@ai-dev-platform/protocol/machine-login";
import { browserKeyIdSchema } from "@ai-dev-platform/protocol/signing";
import { addBrowserKey, deleteBrowserKey, listBrowserKeys } from "../db/browser-keys.ts";
import { fromBase64 } from "../encoding.ts";
import { AppError } from "../errors.ts";
import { requireUser, type AppEnv } from "../middleware/auth.ts";
import { parseJson } from "../middleware/body.ts";
import { requireOwnMachine } from "./machine-door.ts";
import { pathId } from "./owned.ts";

const KEY_ID_BYTES = 16;

export const browserKeysRoutes = new Hono<AppEnv>();

browserKeysRoutes.get("/api/browser-keys", requireUser, async (c) =>
  c.json({ keys: await listBrowserKeys(c.env.DB, c.get("user").userId) }),
);

browserKeysRoutes.post("/api/browser-keys", requireUser, async (c) => {
  const key = await parseJson(c, browserKeySchema);
  return c.json(await registerBrowserKey(c.env, c.get("user").userId, key, Date.now()), 201);
});

browserKeysRoutes.delete("/api/browser-keys/:keyId", requireUser, async (c) => {
  if (!(await deleteBrowserKey(c.env.DB, c.get("user").userId, pathId(c, browserKeyIdSchema, "keyId")))) throw new AppError("not_found");
  return c.body(null, 204);
});

browserKeysRoutes.get("/machine/browser-keys", async (c) => {
  const { userId } = await requireOwnMachine(c);
  const keys = (await listBrowserKeys(c.env.DB, userId)).map(({ keyId, publicKey, name }) => ({ keyId, publicKey, name }));
  return c.json({ keys } satisfies z.infer<typeof machineBrowserKeysSchema>);
});

export async function registerBrowserKey(env: Env, userId: string, key: BrowserKey, now: number): Promise<BrowserKeyBody> {
  const stored = await addBrowserKey(env.DB, userId, { keyId: await keyIdOf(key.publicKey), ...key, createdAt: now });
  if (stored === null) throw new AppError("bad_request", { detail: "publicKey: you have many browsers here. Remove one first." });
  return stored;
}

async function keyIdOf(publicKey: string): Promise<string> {
  const raw = fromBase64(`${publicKey.replaceAll("-", "+").replaceAll("_", "/")}=`);
  if (raw === null) throw new AppError("bad_request", { detail: "publicKey" });
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", raw)).subarray(0, KEY_ID_BYTES);
  return btoa(String.fromCharCode(...hash))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}
