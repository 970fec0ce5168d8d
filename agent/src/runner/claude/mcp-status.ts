/** How the tool servers fare, as the contract says it. Pure. */
import type { McpServerStatus } from "@ai-dev-platform/protocol/events";
import type { McpServerStatus as SdkStatus } from "@anthropic-ai/claude-agent-sdk";

/** Configuration that came with the repository; everything else is the user's. */
const PROJECT_SCOPES = new Set(["project", "local"]);

export const readMcpServers = (statuses: readonly SdkStatus[]): McpServerStatus[] =>
  statuses.map((one) => ({
    name: one.name,
    status: one.status,
    scope: PROJECT_SCOPES.has(one.scope ?? "") ? "project" : "user",
    ...(one.error === undefined ? {} : { error: one.error.slice(0, 500) }),
    ...(one.tools === undefined ? {} : { tools: one.tools.length }),
  }));
