/**
 * Whether what this deployment stands on answers: each part asked once, at the same time, for a second at most. Says which
 * part fails and nothing of why: anybody may ask. An answer is kept for some seconds, so that asking often costs nothing.
 */
import type { Health, HealthCheck } from "@ai-dev-platform/protocol/api/answers";
import { PLATFORM_VERSION } from "../config.ts";
import { readConfig } from "../env.ts";
import { fleetOf } from "../hosts/sandbox/places.ts";
import { checkVault } from "../keys/vault-check.ts";
import { createLogger, errorFields } from "../log.ts";

const log = createLogger("health");

export const CHECK_TIMEOUT_MS = 1_000;
/** Far below what monitors ask at, long enough that a flood is a read of memory. */
export const KEPT_MS = 5_000;

/** Without these nothing works: the answer is then 503. */
const NEEDED = ["database", "sessions"] as const satisfies readonly (keyof Health["checks"])[];

/** While another request asks, this old an answer is given. */
const STALE_MS = 30_000;

export type Probe = () => Promise<unknown>;
/** Null: the part is not offered here. */
export type Probes = Readonly<Record<keyof Health["checks"], Probe | null>>;

export const probesOf = (env: Env): Probes => ({
  database: () => env.DB.prepare("SELECT 1").first(),
  storage: () => env.BUCKET.head("health"),
  // A Durable Object that is reached and can write; every session is one.
  sessions: () => env.RATE_LIMIT.getByName("health").take(1, CHECK_TIMEOUT_MS),
  vault: () => checkVault(env),
  sandbox: readConfig(env).sandbox ? () => fleetOf(env).find("health") : null,
});

export async function checkHealth(env: Env, probes: Probes, timeoutMs = CHECK_TIMEOUT_MS): Promise<Health> {
  const ask = (name: keyof Probes) => check(name, probes[name], timeoutMs);
  const [database, storage, sessions, vault, sandbox] = await Promise.all([
    ask("database"),
    ask("storage"),
    ask("sessions"),
    ask("vault"),
    ask("sandbox"),
  ]);
  const checks = { database, storage, sessions, vault, sandbox };
  const status = Object.values(checks).includes("failing") ? "degraded" : "ok";
  return { status, version: PLATFORM_VERSION, features: readConfig(env).features, checks };
}

export const isUsable = ({ checks }: Health): boolean => NEEDED.every((name) => checks[name] !== "failing");

async function check(name: string, probe: Probe | null, timeoutMs: number): Promise<HealthCheck> {
  if (probe === null) return "off";
  const late = Promise.withResolvers<"late">();
  const timer = setTimeout(() => late.resolve("late"), timeoutMs);
  try {
    if ((await Promise.race([probe(), late.promise])) !== "late") return "ok";
    log.warn("late", { check: name });
  } catch (error) {
    log.warn("failing", { check: name, ...errorFields(error) });
  } finally {
    clearTimeout(timer);
  }
  return "failing";
}

/** One isolate's memory of it. A request never waits for another's question: what it asks is its own. */
let kept: { at: number; health: Health } | null = null;
let askedAt = 0;

export async function currentHealth(env: Env, now: number): Promise<Health> {
  const age = kept === null ? Number.POSITIVE_INFINITY : now - kept.at;
  const isAsked = now - askedAt < CHECK_TIMEOUT_MS && age < STALE_MS;
  if (kept !== null && (age < KEPT_MS || isAsked)) return kept.health;
  askedAt = now;
  const health = await checkHealth(env, probesOf(env));
  kept = { at: now, health };
  return health;
}
