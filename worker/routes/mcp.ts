/** /api/mcp: tool servers of a user. Header and environment values go in and are never returned. */
import { mcpServerCreateSchema, type McpServerBody } from "@ai-dev-platform/protocol/http";
import type { McpServerConfig } from "@ai-dev-platform/protocol/runner";
import { Hono } from "hono";
import { MAX_MCP_SERVERS } from "../config.ts";
import { countMcpServers, deleteMcpServer, insertMcpServer, listMcpServers, type McpRow } from "../db/mcp.ts";
import { AppError } from "../errors.ts";
import { newId } from "../ids.ts";
import { sealMcpServer } from "../keys/mcp-secrets.ts";
import { requireUser, type AppEnv } from "../middleware/auth.ts";
import { parseJson } from "../middleware/body.ts";

export const mcpRoutes = new Hono<AppEnv>();

mcpRoutes.get("/api/mcp", requireUser, async (c) => {
  const rows = await listMcpServers(c.env.DB, c.get("user").userId);
  return c.json({ servers: rows.map(toBody) });
});

mcpRoutes.post("/api/mcp", requireUser, async (c) => {
  const { userId } = c.get("user");
  const config = await parseJson(c, mcpServerCreateSchema);
  const problem = refusal(config);
  if (problem !== null) throw new AppError("bad_request", { detail: problem });
  if ((await countMcpServers(c.env.DB, userId)) >= MAX_MCP_SERVERS) {
    throw new AppError("bad_request", { detail: `At most ${MAX_MCP_SERVERS} tool servers. Remove one first.` });
  }
  const mcpId = newId("mcp");
  const row = {
    mcpId,
    userId,
    name: config.name,
    transport: config.transport,
    target: shownTarget(config),
    secretNames: Object.keys(config.transport === "http" ? config.headers : config.env),
    ...(await sealMcpServer(c.env, userId, mcpId, config)),
    createdAt: Date.now(),
  } satisfies McpRow;
  if (!(await insertMcpServer(c.env.DB, row)))
    throw new AppError("conflict", { detail: "A tool server of this name exists. Choose another name." });
  return c.json(toBody(row), 201);
});

mcpRoutes.delete("/api/mcp/:mcpId", requireUser, async (c) => {
  if (!(await deleteMcpServer(c.env.DB, c.get("user").userId, c.req.param("mcpId")))) throw new AppError("not_found");
  return c.body(null, 204);
});

function refusal(config: McpServerConfig): string | null {
  if (config.transport === "stdio") return null;
  const { protocol, username, password } = new URL(config.url);
  if (protocol !== "https:" && protocol !== "http:") return "url: only http and https addresses";
  if (username !== "" || password !== "") return "url: put credentials in a header, not in the address";
  const badHeader = Object.entries(config.headers).find(([name, value]) => !/^[\w-]+$/.test(name) || /[\r\n\0]/.test(value));
  return badHeader === undefined ? null : "headers: a name or a value is not valid";
}

/** What the screen may show: an address without its query, a command without its arguments. Either could carry a credential. */
function shownTarget(config: McpServerConfig): string {
  if (config.transport === "stdio") return config.command;
  const { origin, pathname } = new URL(config.url);
  return `${origin}${pathname}`;
}

const toBody = ({ mcpId, name, transport, target, secretNames, createdAt }: McpRow): McpServerBody => ({
  mcpId,
  name,
  transport,
  target,
  secretNames,
  createdAt,
});
