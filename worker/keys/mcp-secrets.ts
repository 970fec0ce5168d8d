/** How a tool server is called (its address, headers, command, environment), sealed like an API key: headers and environment carry credentials. */
import { mcpServerConfigSchema, type McpServerConfig } from "@ai-dev-platform/protocol/runner";
import type { McpRow } from "../db/mcp.ts";
import { open, seal, type Envelope } from "./envelope.ts";
import { kekRing } from "./kek.ts";

const PROVIDER = "mcp";
const ROW_VERSION = 1;

export async function sealMcpServer(env: Env, userId: string, mcpId: string, config: McpServerConfig): Promise<Envelope> {
  const { newest } = await kekRing(env);
  const bytes = new TextEncoder().encode(JSON.stringify(config));
  const envelope = await seal(bytes, { userId, keyId: mcpId, provider: PROVIDER }, ROW_VERSION, newest);
  bytes.fill(0);
  return envelope;
}

/** Null when it does not open: that server is left out, the others still work. */
export async function openMcpServer(env: Env, row: McpRow): Promise<McpServerConfig | null> {
  const { fmt, rowVersion, kekId, dekIv, dekCt, dataIv, dataCt } = row;
  if (kekId === null || dekIv === null || dekCt === null || dataIv === null || dataCt === null) return null;
  const { find } = await kekRing(env);
  const opened = await open(
    { fmt, rowVersion, kekId, dekIv, dekCt, dataIv, dataCt },
    { userId: row.userId, keyId: row.mcpId, provider: PROVIDER },
    find,
  );
  if (!opened.ok) return null;
  const parsed = mcpServerConfigSchema.safeParse(JSON.parse(new TextDecoder().decode(opened.secret)));
  opened.secret.fill(0);
  return parsed.success ? parsed.data : null;
}
