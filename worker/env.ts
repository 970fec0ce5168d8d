/**
 * The Worker's variables and secrets, parsed once per isolate. A variable that cannot be read and a secret that is missing
 * are the operator's to repair: the answer is 503 and names what to set. Secrets are looked at only where they are needed,
 * so that a deployment without one of them still serves the rest.
 */
import * as z from "zod";
import { PROVIDERS, type Features, type Provider } from "@ai-dev-platform/protocol/api/providers";
import { DEFAULT_SANDBOXES_IN_ALL, DEFAULT_SANDBOXES_PER_USER, DEFAULT_STORAGE_QUOTA_GB } from "./config.ts";
import { AppError } from "./errors.ts";

/** As Cloudflare bills R2. */
const BYTES_PER_GB = 1_000_000_000;

const originSchema = z.url({ protocol: /^https?$/ }).transform((url) => new URL(url).origin);
const addressSchema = z.url({ protocol: /^https?$/ }).transform((url) => url.replace(/\/+$/, ""));
const optional = <T extends z.ZodType>(schema: T) => z.union([z.literal("").transform(() => null), schema]);

const onOff = z.enum(["on", "off"], { error: 'write "on" or "off"' }).default("on");

/** "anthropic,openai": whose keys may be stored. Empty: nobody's. */
const providersSchema = z
  .string()
  .transform((text) => text.split(",").flatMap((part) => (part.trim() === "" ? [] : [part.trim()])))
  .pipe(z.array(z.enum(PROVIDERS, { error: `write some of ${PROVIDERS.join(", ")}, with commas between them` })))
  .transform((names) => PROVIDERS.filter((provider) => names.includes(provider)));

/** "0.5/1.5": US dollars for a million tokens of input and of output. */
const priceSchema = z
  .string()
  .regex(/^\d{1,4}(\.\d{1,6})?\/\d{1,4}(\.\d{1,6})?$/, { error: "write dollars for a million tokens of input and of output, as 0.5/1.5" })
  .transform((text) => {
    const [inputUsd = 0, outputUsd = 0] = text.split("/").map(Number);
    return { inputUsd, outputUsd };
  });

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
  API: onOff,
  AGENT: onOff,
  EXECUTE: onOff,
  PROVIDERS: providersSchema.default([...PROVIDERS]),
  OPENAI_UPSTREAM: addressSchema.default("https://api.openai.com/v1"),
  OPENROUTER_UPSTREAM: addressSchema.default("https://openrouter.ai/api/v1"),
  CUSTOM_PRICE: optional(priceSchema).default(null),
  API_RATE_FACTOR: z.coerce.number().min(0.01).max(1_000).default(1),
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
  features: Features;
  openaiUpstream: string;
  openrouterUpstream: string;
  /** Dollars for a million tokens at custom providers. Null: counted as the dearest that is known. */
  customPrice: { inputUsd: number; outputUsd: number } | null;
  /** Times the rates of programs. Above 1 the outer wall does not count known tokens. */
  apiRateFactor: number;
}

const parsed = new WeakMap<Env, Config>();

export function readConfig(env: Env): Config {
  const known = parsed.get(env);
  if (known !== undefined) return known;
  const result = varsSchema.safeParse(env);
  if (!result.success) {
    throw new AppError("unavailable", { detail: describe(result.error) });
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
    features: featuresOf(vars),
    openaiUpstream: vars.OPENAI_UPSTREAM,
    openrouterUpstream: vars.OPENROUTER_UPSTREAM,
    customPrice: vars.CUSTOM_PRICE,
    apiRateFactor: vars.API_RATE_FACTOR,
  };
  parsed.set(env, config);
  return config;
}

const featuresOf = (vars: { API: string; AGENT: string; EXECUTE: string; PROVIDERS: Provider[] }): Features => ({
  api: vars.API === "on",
  agent: vars.AGENT === "on",
  execute: vars.EXECUTE === "on",
  providers: vars.PROVIDERS,
});

function describe(error: z.ZodError): string {
  const [issue] = error.issues;
  const name = String(issue?.path[0]);
  const how = ["API", "AGENT", "EXECUTE", "PROVIDERS", "CUSTOM_PRICE"].includes(name) ? ` (${reasonOf(issue)})` : "";
  return `The variable ${name} is not valid${how}. Correct it in wrangler.toml and deploy again.`;
}

/** A union's own message says nothing: the last alternative is the one that was meant. */
const reasonOf = (issue: z.core.$ZodIssue | undefined): string =>
  (issue?.code === "invalid_union" ? issue.errors.at(-1)?.[0]?.message : issue?.message) ?? "unreadable";

export type SecretName = "AUTH_SECRET" | "KEY_ENCRYPTION" | "KEY_FINGERPRINT" | "MACHINE_TOKEN";

export function readSecret(env: Env, name: SecretName): string {
  const value: unknown = env[name];
  if (typeof value !== "string" || value.length < 16) {
    throw new AppError("unavailable", { detail: `The secret ${name} is not set. Run: npx wrangler secret put ${name}` });
  }
  return value;
}
