/**
 * D1: the directory of users, keys, projects, sessions, shares and machines. Never on the way of an event.
 * Times are epoch milliseconds. Ids of ours are prefixed (protocol/ids); ids of sign-in belong to better-auth.
 * Only modules in this folder, and better-auth's adapter, import these tables.
 */
import { sql } from "drizzle-orm";
import { index, integer, primaryKey, real, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import { PROVIDERS } from "@ai-dev-platform/protocol/api/providers";
import { ARCHIVE_FORMATS, HOST_KINDS, LIFECYCLES, MODEL_SOURCES, MODES, SANDBOX_SIZES } from "@ai-dev-platform/protocol/modes";
import { LOGIN_KINDS } from "@ai-dev-platform/protocol/machine-login";
import { ROLES } from "@ai-dev-platform/protocol/roles";
import { at, authTime, envelopeColumns, flag } from "./columns.ts";

// --- sign-in (better-auth's shape, our names) ---

export const authUsers = sqliteTable("auth_users", {
  id: text("id").primaryKey(),
  name: text("name").notNull(),
  email: text("email").notNull().unique(),
  emailVerified: flag("email_verified").notNull().default(false),
  image: text("image"),
  /** Set when its owner asked for its deletion: from then on it can do nothing but be deleted. */
  deletingAt: at("deleting_at"),
  createdAt: authTime("created_at").notNull(),
  updatedAt: authTime("updated_at").notNull(),
});

export const authSessions = sqliteTable(
  "auth_sessions",
  {
    id: text("id").primaryKey(),
    expiresAt: authTime("expires_at").notNull(),
    token: text("token").notNull().unique(),
    createdAt: authTime("created_at").notNull(),
    updatedAt: authTime("updated_at").notNull(),
    ipAddress: text("ip_address"),
    userAgent: text("user_agent"),
    userId: text("user_id")
      .notNull()
      .references(() => authUsers.id, { onDelete: "cascade" }),
  },
  (table) => [index("auth_sessions_user").on(table.userId)],
);

export const authAccounts = sqliteTable(
  "auth_accounts",
  {
    id: text("id").primaryKey(),
    accountId: text("account_id").notNull(),
    providerId: text("provider_id").notNull(),
    userId: text("user_id")
      .notNull()
      .references(() => authUsers.id, { onDelete: "cascade" }),
    accessToken: text("access_token"),
    refreshToken: text("refresh_token"),
    idToken: text("id_token"),
    accessTokenExpiresAt: authTime("access_token_expires_at"),
    refreshTokenExpiresAt: authTime("refresh_token_expires_at"),
    scope: text("scope"),
    password: text("password"),
    createdAt: authTime("created_at").notNull(),
    updatedAt: authTime("updated_at").notNull(),
  },
  (table) => [index("auth_accounts_user").on(table.userId)],
);

export const authVerifications = sqliteTable(
  "auth_verifications",
  {
    id: text("id").primaryKey(),
    identifier: text("identifier").notNull(),
    value: text("value").notNull(),
    expiresAt: authTime("expires_at").notNull(),
    createdAt: authTime("created_at").notNull(),
    updatedAt: authTime("updated_at").notNull(),
  },
  (table) => [index("auth_verifications_identifier").on(table.identifier)],
);

// --- keys and settings ---

export const providerKeys = sqliteTable(
  "provider_keys",
  {
    keyId: text("key_id").primaryKey(),
    userId: text("user_id").notNull(),
    provider: text("provider", { enum: PROVIDERS }).notNull(),
    /** Of a custom provider alone. */
    baseUrl: text("base_url"),
    ...envelopeColumns,
    last4: text("last4").notNull(),
    fp: text("fp").notNull(),
    status: text("status", { enum: ["working", "refused", "no_credit"] }).notNull(),
    models: text("models", { mode: "json" }).$type<string[]>().notNull(),
    isActive: flag("is_active").notNull(),
    createdAt: at("created_at").notNull(),
    checkedAt: at("checked_at").notNull(),
    lastUsedAt: at("last_used_at"),
    rotateAt: at("rotate_at"),
    destroyedAt: at("destroyed_at"),
  },
  (table) => [
    index("provider_keys_user").on(table.userId),
    uniqueIndex("provider_keys_one_active")
      .on(table.userId, table.provider)
      .where(sql`${table.isActive} = 1`),
  ],
);

export const userSettings = sqliteTable("user_settings", {
  userId: text("user_id").primaryKey(),
  budgetUsd: real("budget_usd").notNull(),
  rotateAfterDays: integer("rotate_after_days"),
  useDemoModel: flag("use_demo_model").notNull(),
});

export const mcpServers = sqliteTable(
  "mcp_servers",
  {
    mcpId: text("mcp_id").primaryKey(),
    userId: text("user_id").notNull(),
    name: text("name").notNull(),
    transport: text("transport", { enum: ["http", "stdio"] }).notNull(),
    /** The address or the command line, without secrets: what the screen shows. */
    target: text("target").notNull(),
    secretNames: text("secret_names", { mode: "json" }).$type<string[]>().notNull(),
    ...envelopeColumns,
    createdAt: at("created_at").notNull(),
  },
  (table) => [uniqueIndex("mcp_servers_user_name").on(table.userId, table.name)],
);

// --- projects and sessions ---

export const projects = sqliteTable(
  "projects",
  {
    projectId: text("project_id").primaryKey(),
    userId: text("user_id").notNull(),
    name: text("name").notNull(),
    /** A workspace source as JSON; parsed with its schema when read. */
    sourceJson: text("source_json").notNull(),
    trustProject: flag("trust_project").notNull(),
    /** Of direct answers; both null: Anthropic's, as a request names them. */
    modelProvider: text("model_provider", { enum: PROVIDERS }),
    modelName: text("model_name"),
    /** Made for programs that name no project: one for a user. */
    isForApi: flag("is_for_api").notNull().default(false),
    archivedAt: at("archived_at"),
    createdAt: at("created_at").notNull(),
  },
  (table) => [index("projects_user").on(table.userId, table.createdAt)],
);

export const sessions = sqliteTable(
  "sessions",
  {
    sessionId: text("session_id").primaryKey(),
    userId: text("user_id").notNull(),
    projectId: text("project_id").notNull(),
    title: text("title").notNull(),
    state: text("state", { enum: ["needs_you", "running", "idle", "asleep", "failed"] }).notNull(),
    detail: text("detail").notNull(),
    lifecycle: text("lifecycle", { enum: LIFECYCLES }).notNull(),
    mode: text("mode", { enum: MODES }).notNull(),
    modelSource: text("model_source", { enum: MODEL_SOURCES }).notNull(),
    machineId: text("machine_id"),
    host: text("host", { enum: HOST_KINDS }).notNull().default("machine"),
    size: text("size", { enum: SANDBOX_SIZES }).notNull().default("standard-1"),
    hostSeconds: real("host_seconds").notNull().default(0),
    hostCostUsd: real("host_cost_usd").notNull().default(0),
    costUsd: real("cost_usd").notNull().default(0),
    additions: integer("additions").notNull().default(0),
    deletions: integer("deletions").notNull().default(0),
    /** A cache of what the session's object knows, written again whenever it differs. */
    storedBytes: integer("stored_bytes").notNull().default(0),
    headSnapshotId: text("head_snapshot_id"),
    savedAt: at("saved_at"),
    archivedAt: at("archived_at"),
    deletedAt: at("deleted_at"),
    createdAt: at("created_at").notNull(),
    updatedAt: at("updated_at").notNull(),
  },
  (table) => [index("sessions_user_updated").on(table.userId, table.updatedAt), index("sessions_project").on(table.projectId)],
);

/** Uploaded archives; the bytes are in R2. One that no project was made of expires. */
export const imports = sqliteTable(
  "imports",
  {
    importId: text("import_id").primaryKey(),
    userId: text("user_id").notNull(),
    format: text("format", { enum: ARCHIVE_FORMATS }).notNull(),
    bytes: integer("bytes").notNull(),
    /** The project that was made of it; null while there is none. */
    projectId: text("project_id"),
    createdAt: at("created_at").notNull(),
  },
  (table) => [index("imports_user").on(table.userId)],
);

// --- shares ---

export const shares = sqliteTable(
  "shares",
  {
    shareId: text("share_id").primaryKey(),
    sessionId: text("session_id").notNull(),
    createdBy: text("created_by").notNull(),
    /** SHA-256 of the secret: the secret itself is shown once and kept nowhere. */
    secretHash: text("secret_hash").notNull(),
    role: text("role", { enum: ROLES }).notNull(),
    label: text("label").notNull(),
    createdAt: at("created_at").notNull(),
    expiresAt: at("expires_at").notNull(),
    lastUsedAt: at("last_used_at"),
    revokedAt: at("revoked_at"),
  },
  (table) => [index("shares_session").on(table.sessionId)],
);

/** One browser that opened a share; the cookie holds the token, we hold its hash. */
export const shareVisits = sqliteTable(
  "share_visits",
  {
    tokenHash: text("token_hash").primaryKey(),
    shareId: text("share_id").notNull(),
    createdAt: at("created_at").notNull(),
    expiresAt: at("expires_at").notNull(),
  },
  (table) => [index("share_visits_share").on(table.shareId)],
);

// --- machines ---

export const machines = sqliteTable(
  "machines",
  {
    machineId: text("machine_id").primaryKey(),
    /** Null: the operator's, lent to everybody here. */
    userId: text("user_id"),
    name: text("name").notNull(),
    platform: text("platform").notNull(),
    agentVersion: text("agent_version").notNull(),
    capacity: integer("capacity").notNull(),
    running: integer("running").notNull(),
    allowsPaths: flag("allows_paths").notNull(),
    isOnline: flag("is_online").notNull(),
    lastSeenAt: at("last_seen_at").notNull(),
    /** Its owner removed it. The row stays, so that its id never becomes another person's. */
    revokedAt: at("revoked_at"),
  },
  (table) => [index("machines_user").on(table.userId)],
);

/** What a user's own machine connects with: only the hash is here. One for a machine. */
export const machineTokens = sqliteTable(
  "machine_tokens",
  {
    tokenHash: text("token_hash").primaryKey(),
    userId: text("user_id").notNull(),
    machineId: text("machine_id").notNull(),
    createdAt: at("created_at").notNull(),
    lastUsedAt: at("last_used_at"),
  },
  (table) => [index("machine_tokens_user").on(table.userId), uniqueIndex("machine_tokens_machine").on(table.machineId)],
);

/** A machine that asks to sign in, until somebody approved it and it fetched its token, or until it expired. */
export const machineLogins = sqliteTable(
  "machine_logins",
  {
    loginId: text("login_id").primaryKey(),
    kind: text("kind", { enum: LOGIN_KINDS }).notNull(),
    status: text("status", { enum: ["waiting", "approved", "denied", "used"] }).notNull(),
    /** What a person types; devices only. */
    userCode: text("user_code"),
    deviceCodeHash: text("device_code_hash"),
    /** PKCE challenge (S256), port and state; loopback only. */
    challenge: text("challenge"),
    port: integer("port"),
    state: text("state"),
    codeHash: text("code_hash"),
    /** The id that it had before, if it was signed in here before. */
    machineId: text("machine_id"),
    name: text("name").notNull(),
    platform: text("platform").notNull(),
    agentVersion: text("agent_version").notNull(),
    /** Where the request came from, to be shown to who approves it. */
    address: text("address"),
    country: text("country"),
    userId: text("user_id"),
    /** JSON: the public key of the browser that approved a device. */
    browserKey: text("browser_key"),
    intervalMs: integer("interval_ms").notNull(),
    polledAt: at("polled_at"),
    createdAt: at("created_at").notNull(),
    expiresAt: at("expires_at").notNull(),
  },
  (table) => [
    uniqueIndex("machine_logins_user_code").on(table.userCode),
    uniqueIndex("machine_logins_device_code").on(table.deviceCodeHash),
    index("machine_logins_expires").on(table.expiresAt),
  ],
);

/** Public keys of a user's browsers: a directory to choose from. Which of them a machine listens to, that machine knows alone. */
export const browserKeys = sqliteTable(
  "browser_keys",
  {
    userId: text("user_id").notNull(),
    keyId: text("key_id").notNull(),
    publicKey: text("public_key").notNull(),
    name: text("name").notNull(),
    createdAt: at("created_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.userId, table.keyId] })],
);

// --- network ---

/** Hosts that a user allowed in all their sessions: normalised names. */
export const allowedHosts = sqliteTable(
  "allowed_hosts",
  {
    userId: text("user_id").notNull(),
    host: text("host").notNull(),
    createdAt: at("created_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.userId, table.host] })],
);

/** A password or token for Git over HTTPS, one for a host. Sealed as provider keys are. */
export const gitCredentials = sqliteTable(
  "git_credentials",
  {
    credentialId: text("credential_id").primaryKey(),
    userId: text("user_id").notNull(),
    host: text("host").notNull(),
    username: text("username").notNull(),
    ...envelopeColumns,
    last4: text("last4").notNull(),
    createdAt: at("created_at").notNull(),
    lastUsedAt: at("last_used_at"),
  },
  (table) => [uniqueIndex("git_credentials_user_host").on(table.userId, table.host)],
);
