/** JSON bodies of /api. Requests are schemas (strict); responses are interfaces. Errors are `ErrorBody` (errors.ts). */
import * as z from "zod";
import { projectModelSchema, providerKeyShape, type Features, type ProjectModel, type Provider } from "./api/providers.ts";
import { hostKindSchema, lifecycleSchema, modelSourceSchema, modeSchema, sandboxSizeSchema } from "./events.ts";
import { machineIdSchema, projectIdSchema, promptIdSchema, requestIdSchema, shareIdSchema, snapshotIdSchema } from "./ids.ts";
import { DEFAULT_MAX_HOURS, MAX_MAX_HOURS, MAX_PROMPT_CHARS, MIN_MAX_HOURS } from "./limits.ts";
import {
  DEFAULT_NETWORK,
  DEFAULT_SANDBOX_SIZE,
  type ArchiveFormat,
  type HostKind,
  type Lifecycle,
  type Mode,
  type ModelSource,
  type SandboxSize,
} from "./modes.ts";
import type { MachineState } from "./machine.ts";
import { hostNameSchema, networkSchema } from "./network.ts";
import type { Role } from "./roles.ts";
import { workspaceSourceSchema, type WorkspaceSource } from "./runner.ts";

const nameSchema = z.string().trim().min(1).max(200);

/** GET /api/config: what this deployment offers, without sign-in. */
export interface ConfigBody {
  version: string;
  demoModel: boolean;
  signUp: boolean;
  localPaths: boolean;
  /** Sessions may run in a Cloudflare sandbox here; otherwise on connected machines only. */
  sandbox: boolean;
  /** What the operator left on. */
  features: Features;
}

/** GET /api/me */
export interface MeBody {
  userId: string;
  name: string;
  email: string;
  settings: SettingsBody;
}

export const settingsPatchSchema = z.strictObject({
  budgetUsd: z.number().min(0.01).max(10_000).optional(),
  rotateAfterDays: z.int().min(1).max(3_650).nullable().optional(),
  useDemoModel: z.boolean().optional(),
});
/** GET, PATCH /api/settings */
export interface SettingsBody {
  budgetUsd: number;
  rotateAfterDays: number | null;
  useDemoModel: boolean;
}

/** POST /api/keys: checked with the provider before it is stored. Step two of Replace uses the same call. */
export const keyCreateSchema = z.strictObject({ ...providerKeyShape, apiKey: z.string().min(1).max(10_240) });
/** GET /api/keys → { keys: KeyBody[] }; POST /api/keys, POST /api/keys/:id/test → KeyBody; DELETE /api/keys/:id → 204 */
export interface KeyBody {
  keyId: string;
  provider: Provider;
  /** Of `custom` alone. */
  baseUrl: string | null;
  /** Empty for a key so short that it would be half of it. */
  last4: string;
  fingerprint: string;
  status: "working" | "refused" | "no_credit";
  createdAt: number;
  checkedAt: number;
  lastUsedAt: number | null;
  rotateAt: number | null;
  isActive: boolean;
  /** Empty where the provider lists none: they are named in requests all the same. */
  models: string[];
}

export const projectCreateSchema = z.strictObject({
  name: nameSchema.optional(),
  source: workspaceSourceSchema,
  trustProject: z.boolean().default(false),
});
export const projectPatchSchema = z.strictObject({
  name: nameSchema.optional(),
  archived: z.boolean().optional(),
  trustProject: z.boolean().optional(),
  model: projectModelSchema.optional(),
});
/** GET /api/projects → { projects }; POST → ProjectBody; PATCH /api/projects/:id → ProjectBody; DELETE → 204 */
export interface ProjectBody {
  projectId: string;
  name: string;
  source: WorkspaceSource;
  trustProject: boolean;
  /** Where direct answers for it come from; null: Anthropic, as a request names the model. */
  model: ProjectModel | null;
  archivedAt: number | null;
  createdAt: number;
  sessions: number;
}

export const sessionCreateSchema = z.strictObject({
  projectId: projectIdSchema,
  title: nameSchema.optional(),
  /** A first prompt, submitted with the session. The same prompt id again is the same session. */
  prompt: z.strictObject({ promptId: promptIdSchema, text: z.string().trim().min(1).max(MAX_PROMPT_CHARS) }).optional(),
  mode: modeSchema.default("default"),
  model: z.string().min(1).max(100).default("default"),
  lifecycle: lifecycleSchema.default("hydrated"),
  modelSource: modelSourceSchema.default("key"),
  /** Absent: a sandbox where the deployment offers one, else its machine if one is online, else direct; always a machine when one is named. */
  host: hostKindSchema.optional(),
  size: sandboxSizeSchema.default(DEFAULT_SANDBOX_SIZE),
  network: networkSchema.default(DEFAULT_NETWORK),
  /** Hours of sandbox in all. */
  maxHours: z.number().min(MIN_MAX_HOURS).max(MAX_MAX_HOURS).default(DEFAULT_MAX_HOURS),
  machineId: machineIdSchema.optional(),
  budgetUsd: z.number().min(0.01).max(10_000).optional(),
});
/** POST /api/sessions/:id/fork → SessionBody (201). Without a snapshot: from the newest. The same request id is the same fork. */
export const sessionForkSchema = z.strictObject({
  requestId: requestIdSchema,
  snapshotId: snapshotIdSchema.optional(),
  title: nameSchema.optional(),
});
export const sessionPatchSchema = z.strictObject({ title: nameSchema.optional(), archived: z.boolean().optional() });
export const SESSION_SUMMARY_STATES = ["needs_you", "running", "idle", "asleep", "failed"] as const;
export type SessionSummaryState = (typeof SESSION_SUMMARY_STATES)[number];
/** GET /api/sessions?archived=0|1 → { sessions }; POST → SessionBody (201); GET, PATCH /api/sessions/:id → SessionBody; DELETE → 204 */
export interface SessionBody {
  sessionId: string;
  projectId: string;
  projectName: string;
  title: string;
  state: SessionSummaryState;
  detail: string;
  lifecycle: Lifecycle;
  mode: Mode;
  modelSource: ModelSource;
  host: HostKind;
  size: SandboxSize;
  /** Of sandboxes, in all. */
  hostSeconds: number;
  hostCostUsd: number;
  costUsd: number;
  additions: number;
  deletions: number;
  archivedAt: number | null;
  createdAt: number;
  updatedAt: number;
  role: Role;
  /** Bytes of saved states in storage; 0 before the first save. */
  storedBytes: number;
  /** When it was saved last; null: never. */
  savedAt: number | null;
}

/**
 * A saved state as files, read from storage whether or not anything runs; `:snapshotId` may be `head`.
 * GET /api/sessions/:id/snapshots/:snapshotId/archive?format=zip|tar&git=0|1 → the archive (git=1: with `.git`)
 * GET /api/sessions/:id/snapshots/:snapshotId/file?path= → one file's bytes, as a download
 */
export const ARCHIVE_DOWNLOADS = ["zip", "tar"] as const;
export type ArchiveDownload = (typeof ARCHIVE_DOWNLOADS)[number];

/**
 * POST /api/imports?format=zip|tar|tar.gz (the archive as body, Content-Length required) → ImportBody (201). Then
 * POST /api/projects with `source: {kind: "archive", importId, format, name}`.
 */
export interface ImportBody {
  importId: string;
  format: ArchiveFormat;
  bytes: number;
  expiresAt: number;
}

/** GET /api/storage: what a user's sessions keep, largest first. */
export interface StorageBody {
  usedBytes: number;
  quotaBytes: number;
  sessions: { sessionId: string; title: string; projectName: string; storedBytes: number; savedAt: number | null }[];
}

/** DELETE /api/me → 204: everything of the account, its sessions, keys and saved states. The password confirms it. */
export const accountDeleteSchema = z.strictObject({ password: z.string().min(1).max(200) });

/** POST /api/sessions/:id/ticket (cookie) and POST /api/share/:shareId/ticket (share cookie): single use, 30 s. */
export interface TicketBody {
  ticket: string;
  sessionId: string;
  role: Role;
}
// GET /api/sessions/:id/socket — WebSocket; subprotocols: VIEWER_SUBPROTOCOL, `ticket.<ticket>`. Both tickets open it.

export const shareCreateSchema = z.strictObject({
  role: z.enum(["viewer", "commenter", "approver", "driver"]).default("viewer"),
  label: z.string().trim().max(100).default(""),
  expiresInDays: z.int().min(1).max(90).default(7),
});
/** GET /api/sessions/:id/shares → { shares }; POST → ShareCreatedBody (201); DELETE /api/sessions/:id/shares/:shareId → 204 */
export interface ShareBody {
  shareId: string;
  role: Role;
  label: string;
  createdAt: number;
  expiresAt: number;
  lastUsedAt: number | null;
  revokedAt: number | null;
}
/** `secret` is shown once; the link is /share/<shareId>#<secret>. */
export interface ShareCreatedBody extends ShareBody {
  secret: string;
}
/** POST /api/share/exchange: sets a cookie scoped to this share → ShareViewBody. Unknown, expired, revoked: share_ended. */
export const shareExchangeSchema = z.strictObject({ shareId: shareIdSchema, secret: z.string().min(1).max(200) });
/** GET /api/share/:shareId (share cookie) → ShareViewBody */
export interface ShareViewBody {
  shareId: string;
  sessionId: string;
  title: string;
  sharedBy: string;
  role: Role;
  expiresAt: number;
}

const recordSchema = z.record(z.string().min(1).max(200), z.string().max(4_000));
export const mcpServerCreateSchema = z.discriminatedUnion("transport", [
  z.strictObject({
    transport: z.literal("http"),
    name: z.string().regex(/^[\w-]{1,64}$/),
    url: z.url().max(2_000),
    headers: recordSchema.default({}),
  }),
  z.strictObject({
    transport: z.literal("stdio"),
    name: z.string().regex(/^[\w-]{1,64}$/),
    command: z.string().min(1).max(1_000),
    args: z.array(z.string().max(1_000)).max(50).default([]),
    env: recordSchema.default({}),
  }),
]);
/** GET /api/mcp → { servers }; POST /api/mcp → McpServerBody; DELETE /api/mcp/:id → 204. Header and env values are never returned. */
export interface McpServerBody {
  mcpId: string;
  name: string;
  transport: "http" | "stdio";
  target: string;
  secretNames: string[];
  createdAt: number;
}

/** GET /api/machines → { machines } */
export interface MachineBody {
  machineId: string;
  name: string;
  platform: string;
  agentVersion: string;
  isOnline: boolean;
  running: number;
  capacity: number;
  lastSeenAt: number;
  isOperator: boolean;
  allowsPaths: boolean;
  state: MachineState;
  /** Since when it is in this state; of one that is not connected: when it was last heard. */
  since: number;
  /** Its program is of an older release than this deployment. */
  isOutdated: boolean;
  /** Opened on it for sessions. Of one's own machine; an operator's folders are nobody's business. */
  folders: string[];
  /** The caller's own sessions whose runner is on it now. */
  sessions: { sessionId: string; title: string }[];
}

/** Hosts that all sandboxes of a user may reach. GET /api/allowed-hosts → { hosts }; PUT, DELETE /api/allowed-hosts/:host (a host pattern) → AllowedHostBody, 204 */
export interface AllowedHostBody {
  host: string;
  createdAt: number;
}

/**
 * A login for Git over HTTPS, one for a host; checked with the host before it is stored, and used for a session's own
 * repository there only. `repository`: an address on that host to check it with; needed where the host has no other way.
 */
export const gitCredentialCreateSchema = z.strictObject({
  host: hostNameSchema,
  /** Absent: the name that this host expects beside a token. */
  username: z
    .string()
    .regex(/^[\w.@+-]{1,100}$/)
    .optional(),
  secret: z.string().min(1).max(2_000),
  repository: z.url().max(2_000).optional(),
});
/** GET /api/git-credentials → { credentials }; POST → GitCredentialBody (201; replaces the host's older one); DELETE /api/git-credentials/:id → 204 */
export interface GitCredentialBody {
  credentialId: string;
  host: string;
  username: string;
  last4: string;
  createdAt: number;
  lastUsedAt: number | null;
}

/** Public keys of a user's browsers. GET /api/browser-keys → { keys }; POST `browserKeySchema` → BrowserKeyBody (201); DELETE /api/browser-keys/:keyId → 204 */
export interface BrowserKeyBody {
  keyId: string;
  publicKey: string;
  name: string;
  createdAt: number;
}
