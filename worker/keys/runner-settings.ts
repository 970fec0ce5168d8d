/** What an owner has set up for runners: the implementation of the session's `RunnerSettings` port. */
import { listMcpServers } from "../db/mcp.ts";
import { createLogger } from "../log.ts";
import type { RunnerSettings } from "../session/ports.ts";
import { openMcpServer } from "./mcp-secrets.ts";

const log = createLogger("runner-settings");

export const d1RunnerSettings = (env: Env): RunnerSettings => ({
  async mcpServers(ownerId) {
    const rows = await listMcpServers(env.DB, ownerId);
    const opened = await Promise.all(
      rows.map(async (row) => {
        const config = await openMcpServer(env, row);
        if (config === null) log.error("mcp_does_not_open", { mcpId: row.mcpId });
        return config;
      }),
    );
    return opened.filter((config) => config !== null);
  },
});
