/** The form for an MCP server: text lines to a request body. Pure. */
import { t } from "./messages.ts";
import type { NewMcpServer } from "./use-settings.ts";

export interface McpFields {
  transport: "http" | "stdio";
  name: string;
  url: string;
  headers: string;
  command: string;
  args: string;
  env: string;
}

export const EMPTY_MCP: McpFields = { transport: "http", name: "", url: "", headers: "", command: "", args: "", env: "" };

export type McpProblems = Partial<Record<"name" | "url" | "headers" | "command" | "env", string>>;
export type McpRequest = { ok: true; server: NewMcpServer } | { ok: false; problems: McpProblems };

/** Reads "name<separator>value" lines; the number of the first line that is none of that, where there is one. */
export function readPairs(text: string, separator: ":" | "="): { pairs: Record<string, string>; badLine: number | null } {
  const pairs: Record<string, string> = {};
  for (const [index, raw] of text.split("\n").entries()) {
    const line = raw.trim();
    if (line === "") continue;
    const at = line.indexOf(separator);
    const name = line.slice(0, Math.max(0, at)).trim();
    if (name === "" || /\s/.test(name)) return { pairs: {}, badLine: index + 1 };
    pairs[name] = line.slice(at + 1).trim();
  }
  return { pairs, badLine: null };
}

const isWebAddress = (url: string): boolean => /^https?:$/.test(URL.parse(url)?.protocol ?? "");

export function mcpRequest(fields: McpFields): McpRequest {
  const problems: McpProblems = {};
  const name = fields.name.trim();
  if (!/^[\w-]{1,64}$/.test(name)) problems.name = t.mcp.problems.name;
  const isHttp = fields.transport === "http";
  const { pairs, badLine } = isHttp ? readPairs(fields.headers, ":") : readPairs(fields.env, "=");
  if (badLine !== null) problems[isHttp ? "headers" : "env"] = t.mcp.problems.line(badLine);
  const url = fields.url.trim();
  const command = fields.command.trim();
  if (isHttp && !isWebAddress(url)) problems.url = t.mcp.problems.url;
  if (!isHttp && command === "") problems.command = t.mcp.problems.command;
  if (Object.keys(problems).length > 0) return { ok: false, problems };
  const args = fields.args
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
  return {
    ok: true,
    server: isHttp ? { transport: "http", name, url, headers: pairs } : { transport: "stdio", name, command, args, env: pairs },
  };
}
