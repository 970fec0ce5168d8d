/** The form for an API token: presets, and fields to a request body. Pure. */
import type { ApiScope } from "@ai-dev-platform/protocol/api/access";
import type { Features } from "@ai-dev-platform/protocol/api/providers";
import { t } from "./messages.ts";
import type { NewToken } from "./use-programs.ts";

export type Preset = "chat" | "agent" | "all" | "custom";
export const EXPIRY_DAYS = [7, 30, 90, 365] as const;

export interface TokenFields {
  name: string;
  preset: Preset;
  /** Of `custom`. */
  scopes: readonly ApiScope[];
  /** Null: never. */
  expiresInDays: number | null;
  budget: string;
}

const AGENT_SCOPES: readonly ApiScope[] = ["chat", "sessions:read", "sessions:write", "approve:edits"];

/** What a token can be for here, in the order in which it is shown. */
export function offeredScopes(features: Pick<Features, "agent" | "execute">): ApiScope[] {
  if (!features.agent) return ["chat"];
  return ["chat", "sessions:read", "sessions:write", ...(features.execute ? (["execute"] as const) : []), "approve:edits", "approve:all"];
}

/** Without sessions there is one thing to allow, and nothing to choose. */
export const offeredPresets = (offered: readonly ApiScope[]): Preset[] =>
  offered.length === 1 ? ["chat"] : ["chat", "agent", "all", "custom"];

export function scopesOf({ preset, scopes }: Pick<TokenFields, "preset" | "scopes">, offered: readonly ApiScope[]): ApiScope[] {
  if (preset === "all") return [...offered];
  const wanted = preset === "chat" ? ["chat"] : preset === "agent" ? AGENT_SCOPES : scopes;
  return offered.filter((scope) => wanted.includes(scope));
}

export const EMPTY_TOKEN: TokenFields = { name: "", preset: "chat", scopes: ["chat"], expiresInDays: 90, budget: "" };

/** An amount as people type it; NaN for what is none. Null: nothing was typed. */
function amountOf(typed: string): number | null {
  const text = typed.trim().replace(/^\$\s*/, "");
  if (text === "") return null;
  return /^\d{1,6}(?:[.,]\d{1,2})?$/.test(text) ? Number(text.replace(",", ".")) : Number.NaN;
}

export type TokenProblems = Partial<Record<"name" | "scopes" | "budget", string>>;
export type TokenRequest = { ok: true; token: NewToken } | { ok: false; problems: TokenProblems };

export function tokenRequest(fields: TokenFields, offered: readonly ApiScope[]): TokenRequest {
  const problems: TokenProblems = {};
  const name = fields.name.trim();
  const scopes = scopesOf(fields, offered);
  const budgetUsd = amountOf(fields.budget);
  if (name === "") problems.name = t.create.problems.name;
  if (scopes.length === 0) problems.scopes = t.create.problems.scopes;
  if (budgetUsd !== null && !(budgetUsd >= 0.01 && budgetUsd <= 10_000)) problems.budget = t.create.problems.budget;
  if (Object.keys(problems).length > 0) return { ok: false, problems };
  return { ok: true, token: { name, scopes, expiresInDays: fields.expiresInDays, budgetUsd } };
}
