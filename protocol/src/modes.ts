/** Permission modes as Claude Code names them; the labels are the screen's. */
export const MODES = ["default", "acceptEdits", "plan", "bypassPermissions"] as const;
export type Mode = (typeof MODES)[number];

/** How a session lives (DESIGN, Lifecycles). */
export const LIFECYCLES = ["hydrated", "long-running", "ephemeral", "multi-agent"] as const;
export type Lifecycle = (typeof LIFECYCLES)[number];

/** Where the model's answers come from: the owner's stored key, the scripted demo model, or the Claude login of the owner's machine. */
export const MODEL_SOURCES = ["key", "demo", "login"] as const;
export type ModelSource = (typeof MODEL_SOURCES)[number];

/**
 * Where a session's runner lives: a Cloudflare sandbox of its own, or a connected computer. `direct`: in the Worker itself,
 * which only talks to the model; it has no files of its own.
 */
export const HOST_KINDS = ["sandbox", "machine", "direct"] as const;
export type HostKind = (typeof HOST_KINDS)[number];

/** Sizes of a sandbox, by Cloudflare's names of instance types. */
export const SANDBOX_SIZES = ["standard-1", "standard-2", "standard-3", "standard-4"] as const;
export type SandboxSize = (typeof SANDBOX_SIZES)[number];

/** What a sandbox may reach: nothing, package registries, those and the listed hosts, or all but what is always denied. */
export const NETWORK_LEVELS = ["none", "registries", "custom", "full"] as const;
export type NetworkLevel = (typeof NETWORK_LEVELS)[number];

/** A session's network setting. `hosts`: exact names, or `*.example.com` for every name below it. */
export interface Network {
  level: NetworkLevel;
  hosts: string[];
}

/** How long an allowed host stays allowed: the next request, this session, or all sessions of the owner. */
export const ALLOW_SCOPES = ["once", "session", "always"] as const;
export type AllowScope = (typeof ALLOW_SCOPES)[number];

export const DEFAULT_SANDBOX_SIZE: SandboxSize = "standard-1";
export const DEFAULT_NETWORK: Network = { level: "registries", hosts: [] };

/** Archives that can become a project. */
export const ARCHIVE_FORMATS = ["zip", "tar", "tar.gz"] as const;
export type ArchiveFormat = (typeof ARCHIVE_FORMATS)[number];
