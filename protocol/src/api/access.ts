/** What a program may do here: API tokens, their scopes, and how far they may answer for a person (SPEC AT). */
import * as z from "zod";
import { apiTokenIdSchema } from "../ids.ts";

/**
 * `chat`: answers of a model, paid by the stored key. `sessions:read`, `sessions:write`: sessions of the coding agent.
 * `execute`: run code in a sandbox. `approve:edits`, `approve:all`: the most that a request's approval policy may be.
 */
export const API_SCOPES = ["chat", "sessions:read", "sessions:write", "execute", "approve:edits", "approve:all"] as const;
export type ApiScope = (typeof API_SCOPES)[number];
export const apiScopeSchema = z.enum(API_SCOPES);

/**
 * Who answers when the agent asks for permission in a turn that a program began. `ask`: a person, or the program by its id.
 * `deny`: nobody, each is denied at once. `accept_edits`: edits of files are allowed, the rest denied. `all`: all is allowed.
 */
export const APPROVAL_POLICIES = ["ask", "deny", "accept_edits", "all"] as const;
export type ApprovalPolicy = (typeof APPROVAL_POLICIES)[number];
export const approvalPolicySchema = z.enum(APPROVAL_POLICIES);

/** `adp_live_`, 32 characters of base62, and 6 of checksum (CRC-32 of the 32, base62): exact to find in a leak, cheap to refuse. */
export const API_TOKEN_PREFIX = "adp_live_";
export const API_TOKEN_RANDOM_CHARS = 32;
export const API_TOKEN_CHECKSUM_CHARS = 6;

export const MAX_API_TOKENS = 50;
export const DEFAULT_TOKEN_DAYS = 90;
export const MAX_TOKEN_DAYS = 365;

export const apiTokenCreateSchema = z.strictObject({
  name: z.string().trim().min(1).max(100),
  scopes: z.array(apiScopeSchema).min(1).max(API_SCOPES.length),
  /** Null: never expires. */
  expiresInDays: z.int().min(1).max(MAX_TOKEN_DAYS).nullable().default(DEFAULT_TOKEN_DAYS),
  /** US dollars that may be spent by it in all; null: no limit of its own. */
  budgetUsd: z.number().min(0.01).max(10_000).nullable().default(null),
});

/** What a computer asked for with its own token: shorter, so that a stolen computer makes no key for ever. */
export const MAX_MACHINE_MADE_TOKEN_DAYS = 30;
export const machineTokenCreateSchema = apiTokenCreateSchema.extend({
  expiresInDays: z.int().min(1).max(MAX_MACHINE_MADE_TOKEN_DAYS).default(MAX_MACHINE_MADE_TOKEN_DAYS),
});

const apiTokenBodySchema = z.object({
  tokenId: apiTokenIdSchema,
  name: z.string(),
  /** The last four characters, to tell tokens apart. */
  last4: z.string(),
  scopes: z.array(apiScopeSchema),
  createdAt: z.number(),
  expiresAt: z.number().nullable(),
  lastUsedAt: z.number().nullable(),
  budgetUsd: z.number().nullable(),
  spentUsd: z.number(),
});
/**
 * GET /api/tokens → { tokens }; POST → ApiTokenCreatedBody (201); DELETE /api/tokens/:tokenId → 204.
 * /machine/tokens is the same for a computer with its own token: those that it made, and no others.
 */
export type ApiTokenBody = z.infer<typeof apiTokenBodySchema>;
export const apiTokensBodySchema = z.object({ tokens: z.array(apiTokenBodySchema) });
/** `token` is shown once. */
export const apiTokenCreatedBodySchema = apiTokenBodySchema.extend({ token: z.string() });
export type ApiTokenCreatedBody = z.infer<typeof apiTokenCreatedBodySchema>;
