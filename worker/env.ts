/**
 * The Worker's variables and secrets, parsed once per isolate. A variable that cannot be read and a secret that is missing
 * are the operator's to repair: the answer is 503 and names what to set. Secrets are looked at only where they are needed,
 * so that a deployment without one of them still serves the rest.
 */
import * as z from "zod";
import { DEFAULT_SANDBOXES_IN_ALL, DEFAULT_SANDBOXES_PER_USER, DEFAULT_STORAGE_QUOTA_GB } from "./config.ts";
import { AppError } from "./errors.ts";

/** As Cloudflare bills R2. */
const BYTES_PER_GB = 1_000_000_000;

const originSchema = z.url({ protocol: /^https?$/ }).transform((url) => new URL(url).origin);
const addressSchema = z.url({ protocol: /^https?$/ }).transform((url) => url.replace(/\/+$/, ""));
const optional = <T extends z.ZodType>(schema: T) => z.union([z.literal("").transform(() => null), schema]);

const varsSchema = z.object({
  PUBLIC_ORIGIN: optional(originSchema).default(null),
  ANTHROPIC_UPSTREAM: addressSchema.default("https://api.anthropic.com"),
  DEMO_MODEL_URL: optional(addressSchema).default(null),
  SIGN_UP: z.enum(["open", "first", "closed"]).default("first"),
  LOCAL_PATHS: z.stringbool().default(false),
  SANDBOXES: z.enum(["on", "off"]).default("off"),
  SANDBOX_DIALS: z.enum(["intercepted", "public"]).default("intercepted"),
  SANDBOX_MAX_PER_USER: z.coerce.number().int().min(1).max(1_000).default(DEFAULT_SANDBOXES_PER_USER),
  SANDBOX_MAX_IN_ALL: z.coerce.number().int().min(1).max(10_000).default(DEFAULT_SANDBOXES_IN_ALL),
  STORAGE_QUOTA_GB: z.coerce.number().min(0).max(1_000_000).default(DEFAULT_STORAGE_QUOTA_GB),
});

export interface Config {
  /** Null: the request's own origin is trusted. */
  publicOrigin: string | null;
  anthropicUpstream: string;
  demoModelUrl: string | null;
  signUp: "open" | "first" | "closed";
  localPaths: boolean;
  /** Sandboxes are offered. Only where containers run: elsewhere their class cannot even be constructed. */
  sandbox: boolean;
  /** `public`: a sandbox's runner dials the public address with tokens, for places that cannot intercept. Its network is then open. */
  sandboxDials: "intercepted" | "public";
  sandboxMaxPerUser: number;
  sandboxMaxInAll: number;
  /** Of one user, saved states and uploads together. Null: no limit. */
  storageQuotaBytes: number | null;
}

const parsed = new WeakMap<Env, Config>();

export function readConfig(env: Env): Config {
  const known = parsed.get(env);
  if (known !== undefined) return known;
  const result = varsSchema.safeParse(env);
  if (!result.success) {
    const name = String(result.error.issues[0]?.path[0]);
    throw new AppError("unavailable", { detail: `The variable ${name} is not valid. Correct it in wrangler.toml and deploy again.` });
  }
  const vars = result.data;
  const config: Config = {
    publicOrigin: vars.PUBLIC_ORIGIN,
    anthropicUpstream: vars.ANTHROPIC_UPSTREAM,
    demoModelUrl: vars.DEMO_MODEL_URL,
    signUp: vars.SIGN_UP,
    localPaths: vars.LOCAL_PATHS,
    sandbox: vars.SANDBOXES === "on",
    sandboxDials: vars.SANDBOX_DIALS,
    sandboxMaxPerUser: vars.SANDBOX_MAX_PER_USER,
    sandboxMaxInAll: vars.SANDBOX_MAX_IN_ALL,
    storageQuotaBytes: vars.STORAGE_QUOTA_GB === 0 ? null : vars.STORAGE_QUOTA_GB * BYTES_PER_GB,
  };
  parsed.set(env, config);
  return config;
}

export type SecretName = "AUTH_SECRET" | "KEY_ENCRYPTION" | "KEY_FINGERPRINT" | "MACHINE_TOKEN";

export function readSecret(env: Env, name: SecretName): string {
  const value: unknown = env[name];
  if (typeof value !== "string" || value.length < 16) {
    throw new AppError("unavailable", { detail: `The secret ${name} is not set. Run: npx wrangler secret put ${name}` });
  }
  return value;
}
