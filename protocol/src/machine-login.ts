/**
 * How a person's own computer signs in, and what it may ask with its token (SPEC MA4–MA8). Addresses under /machine take the
 * token or nothing and no cookie; those under /api are the browser's. Errors are `ErrorBody` (errors.ts).
 */
import * as z from "zod";
import { machineIdSchema, projectIdSchema } from "./ids.ts";
import { browserKeyIdSchema, MAX_KEY_NAME_CHARS, publicKeySchema } from "./signing.ts";

export const LOGIN_KINDS = ["loopback", "device"] as const;
export type LoginKind = (typeof LOGIN_KINDS)[number];

/** Letters of a code that a person types: none looks or sounds like another, and they make no words. */
export const USER_CODE_LETTERS = "BCDFGHJKLMNPQRSTVWXZ";
export const USER_CODE_CHARS = 8;

const randomText = (chars: number) => z.string().regex(new RegExp(`^[\\w-]{${chars}}$`));
/** 32 bytes as base64url. */
const key = randomText(43);

const machineSchema = z.strictObject({
  name: z.string().trim().min(1).max(100),
  platform: z.string().max(100),
  agentVersion: z.string().max(50),
  /** The id it had before; null for a new one. A foreign one is not given. */
  machineId: machineIdSchema.nullable(),
});

/** POST /machine/login/loopback → LoopbackLogin: the browser comes back to 127.0.0.1 (RFC 8252) with a code for PKCE (RFC 7636). */
export const loopbackLoginSchema = z.strictObject({
  machine: machineSchema,
  challenge: key,
  state: key,
  port: z.int().min(1_024).max(65_535),
});
export const loopbackLoginBodySchema = z.object({ loginId: key, url: z.url(), expiresInMs: z.number() });

/** POST /machine/login/device → DeviceLogin: for a computer without a browser (RFC 8628). */
export const deviceLoginSchema = z.strictObject({ machine: machineSchema });
export const deviceLoginBodySchema = z.object({
  deviceCode: key,
  userCode: z.string(),
  url: z.url(),
  urlWithCode: z.url(),
  expiresInMs: z.number(),
  intervalMs: z.number(),
});

/** POST /machine/login/token → MachineLoginBody, or login_pending, login_slow_down, login_denied, login_expired. */
export const loginTokenSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("loopback"), loginId: key, code: key, verifier: z.string().regex(/^[\w.~-]{43,128}$/) }),
  z.strictObject({ kind: z.literal("device"), deviceCode: key }),
]);
/** A browser's public key, for a machine to pin. */
export const browserKeySchema = z.strictObject({ publicKey: publicKeySchema, name: z.string().trim().min(1).max(MAX_KEY_NAME_CHARS) });
export type BrowserKey = z.infer<typeof browserKeySchema>;

const personSchema = z.object({ name: z.string(), email: z.string() });
export const machineLoginBodySchema = z.object({
  token: z.string().min(1),
  machineId: machineIdSchema,
  user: personSchema,
  /** Of the browser that approved a device's sign-in. It came by the server: people compare its fingerprint. */
  browserKey: browserKeySchema.optional(),
});

/** GET /machine/browser-keys (token) → public keys that the person's browsers showed; nothing is pinned by it. */
export const machineBrowserKeysSchema = z.object({
  keys: z.array(z.object({ keyId: browserKeyIdSchema, publicKey: publicKeySchema, name: z.string() })),
});

/** GET /machine/self (token) → who this computer is here. */
export const machineSelfBodySchema = z.object({
  machineId: machineIdSchema,
  name: z.string(),
  user: personSchema,
  isOnline: z.boolean(),
  serverVersion: z.string(),
  now: z.number(),
});
/** GET /machine/sessions (token) → the sessions on this computer. */
export const machineSessionsBodySchema = z.object({
  sessions: z.array(
    z.object({
      sessionId: z.string(),
      title: z.string(),
      projectName: z.string(),
      state: z.string(),
      updatedAt: z.number(),
      url: z.url(),
    }),
  ),
});
/** POST /machine/sessions (token) → a session on this computer: of a project, or of a folder here that is used in place. */
export const machineOpenSchema = z.strictObject({
  projectId: projectIdSchema.optional(),
  path: z.string().min(1).max(4_000).optional(),
  /** Absent: the stored key, or the demo model. */
  modelSource: z.enum(["key", "login"]).optional(),
  /** Even where one is there already. */
  isNew: z.boolean().default(false),
});
export const machineOpenBodySchema = z.object({ sessionId: z.string(), projectId: z.string(), isNew: z.boolean(), url: z.url() });
// POST /machine/logout (token) → 204: the token is gone, and what ran here is ended.

/** Which waiting sign-in is meant: by the handle in the page's address, or by the code that a person typed. */
export const connectWhichSchema = z.union([z.strictObject({ login: key }), z.strictObject({ code: z.string().min(1).max(20) })]);
/** Where a sign-in came from, seen from the browser that is asked to approve it. */
export type ConnectFrom = "same_network" | "other_network" | "this_server";
/** GET /api/connect?login= or ?code= → ConnectBody */
export interface ConnectBody {
  kind: LoginKind;
  name: string;
  platform: string;
  agentVersion: string;
  from: ConnectFrom;
  /** A shortened address and a country, where known; null on a local run. */
  address: string | null;
  country: string | null;
  /** It was signed in here before, by the same person. */
  isKnown: boolean;
  expiresAt: number;
}
/** POST /api/connect → ConnectAnswerBody: where the browser goes to hand the code over; null for a device. */
export const connectAnswerSchema = z.strictObject({
  which: connectWhichSchema,
  approve: z.boolean(),
  /** For a device; a loopback sign-in hands it over without the server. */
  browserKey: browserKeySchema.optional(),
});
export interface ConnectAnswerBody {
  redirectTo: string | null;
}
// DELETE /api/machines/:id → 204: the machine is signed out and closed with `revoked` within 2 s (SPEC MA6).
