/**
 * What may pass to the provider (SPEC MO; the one policy for every way in). The proxy reads and refuses, it never rewrites:
 * the client binds headers, body and attribution together. Refused is what makes the provider's own servers fetch or run
 * something, for that would turn the one open pipe into a way out for a workspace's data. Pure.
 */
import { parseStrict } from "./strict-json.ts";

export type Endpoint = "messages" | "count_tokens";
export type Door = { kind: "call"; endpoint: Endpoint } | { kind: "hello" } | { kind: "closed" };

/** Paths are compared whole, after the URL parser has normalised them; nothing of a caller's URL reaches the provider. */
export function judgePath(method: string, url: URL): Door {
  const { pathname, search } = url;
  if (method === "HEAD" && pathname === "/llm/api/hello" && search === "") return { kind: "hello" };
  if (method !== "POST" || (search !== "" && search !== "?beta=true")) return { kind: "closed" };
  if (pathname === "/llm/v1/messages") return { kind: "call", endpoint: "messages" };
  if (pathname === "/llm/v1/messages/count_tokens") return { kind: "call", endpoint: "count_tokens" };
  return { kind: "closed" };
}

/** Betas that open files, code, fetching or tool servers at the provider. Others pass: the client adds some with every release. */
const REFUSED_BETAS = ["files-api", "mcp-client", "code-execution", "web-fetch", "skills"];

export function refusedBeta(header: string | null): string | null {
  const values = (header ?? "").split(",").map((value) => value.trim().toLowerCase());
  return values.find((value) => REFUSED_BETAS.some((beta) => value.startsWith(beta))) ?? null;
}

export type BodyVerdict = { ok: true; model: string; maxTokens: number; isStream: boolean } | { ok: false; detail: string };

/** Deeper than any conversation; a limit only so that the walk below cannot be made to overflow. */
const MAX_DEPTH = 64;
/** Above what any model answers with. */
const MAX_OUTPUT_TOKENS = 256_000;
const MODEL_NAME = /^[\w.:@/[\]-]{1,100}$/;

export function judgeBody(body: Uint8Array, endpoint: Endpoint): BodyVerdict {
  const text = decodeUtf8(body);
  if (text === null) return refuse("the body is not UTF-8");
  const parsed = parseStrict(text, MAX_DEPTH);
  if (!parsed.ok) return refuse(`the body is refused: ${parsed.reason.replaceAll("_", " ")}`);
  if (!isObject(parsed.value)) return refuse("the body is not an object");
  const { model, max_tokens: maxTokens, stream, mcp_servers: servers, container } = parsed.value;
  if (typeof model !== "string" || !MODEL_NAME.test(model)) return refuse("model: a name is needed");
  if (endpoint === "messages" && !isTokenCount(maxTokens)) return refuse(`max_tokens: a whole number up to ${MAX_OUTPUT_TOKENS} is needed`);
  if (stream !== undefined && typeof stream !== "boolean") return refuse("stream: true or false");
  if (servers !== undefined && !(Array.isArray(servers) && servers.length === 0)) return refuse("mcp_servers is closed here");
  if (container !== undefined && container !== null) return refuse("container is closed here");
  const found = findRefused(parsed.value);
  if (found !== null) return refuse(`${found} is closed here`);
  return { ok: true, model, maxTokens: typeof maxTokens === "number" ? maxTokens : 0, isStream: stream === true };
}

const refuse = (detail: string): BodyVerdict => ({ ok: false, detail });
const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);
const isTokenCount = (value: unknown): boolean =>
  Number.isInteger(value) && typeof value === "number" && value >= 0 && value <= MAX_OUTPUT_TOKENS;

function decodeUtf8(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** Tools and blocks by type that run or fetch at the provider. Web search stays open: the client offers it, and it returns results only. */
const REFUSED_TYPES =
  /^(web_fetch_\d|code_execution_\d|bash_code_execution|text_editor_code_execution_\d|mcp_toolset|mcp_tool_use|container_upload)/;
const REMOTE_SOURCES = new Set(["url", "file"]);
const TOOL_CALLS = new Set(["tool_use", "server_tool_use"]);
/** Data of tools, not blocks: a schema may well describe a property called "source" of type "url". */
const OPAQUE_KEYS = new Set(["input_schema", "input_examples", "schema"]);

/** The first refused thing in the tree, or null. */
function findRefused(value: unknown): string | null {
  if (Array.isArray(value)) return firstRefused(value);
  if (!isObject(value)) return null;
  const { type, source } = value;
  if (typeof type === "string" && REFUSED_TYPES.test(type)) return type;
  if (isObject(source) && typeof source.type === "string" && REMOTE_SOURCES.has(source.type)) return `a source of type ${source.type}`;
  const isToolCall = typeof type === "string" && TOOL_CALLS.has(type);
  for (const [key, child] of Object.entries(value)) {
    if (OPAQUE_KEYS.has(key) || (isToolCall && key === "input")) continue;
    const found = findRefused(child);
    if (found !== null) return found;
  }
  return null;
}

function firstRefused(values: unknown[]): string | null {
  for (const value of values) {
    const found = findRefused(value);
    if (found !== null) return found;
  }
  return null;
}
