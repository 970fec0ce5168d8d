/**
 * What a chat request means to the coding agent (SPEC CA25–CA27): which of its messages become the prompt, what it may do, how
 * much of its work is told. A session remembers its conversation, so that only what came after the last answer counts; a new
 * session is given the earlier turns as quotation. What an agent cannot do is refused by the name of its field. Pure.
 */
import type { ApprovalPolicy } from "@ai-dev-platform/protocol/api/access";
import { sessionIdSchema } from "@ai-dev-platform/protocol/ids";
import { MAX_PROMPT_CHARS } from "@ai-dev-platform/protocol/limits";
import type { AttachedUrl } from "../api/attachments.ts";
import { AppError } from "../errors.ts";
import type { ChatMessage, ChatRequest } from "./request.ts";

/** Of earlier turns that a new session is told: the newest, and never at the cost of the prompt itself. */
const MAX_TRANSCRIPT_CHARS = 40_000;
export const SESSION_HEADER = "x-session-id";

const TOOL_PROGRESS = ["off", "comments", "text"] as const;
export type ToolProgress = (typeof TOOL_PROGRESS)[number];
/** `ask` needs somebody who answers while the request is open: that is /v1/code. */
const POLICIES = ["deny", "accept_edits", "all"] as const satisfies readonly ApprovalPolicy[];

export interface AgentRequest {
  /** Null: a new one. */
  sessionId: string | null;
  approvals: ApprovalPolicy;
  toolProgress: ToolProgress;
  /** What the agent is told, without the names of attached files. */
  prompt: string;
  /** The prompt's own first words. */
  title: string;
  attached: AttachedUrl[];
}

const refuse = (param: string, detail: string): AppError => new AppError("bad_request", { param, detail });

export function readAgentRequest(request: ChatRequest, sessionHeader: string | null): AgentRequest {
  refuseImpossible(request);
  const sessionId = readSessionId(request, sessionHeader);
  const answeredAt = request.messages.findLastIndex(({ role }) => role === "assistant");
  const fresh = request.messages.slice(answeredAt + 1);
  const earlier = sessionId === null ? request.messages.slice(0, answeredAt + 1) : [];
  const asked = userText(fresh, answeredAt + 1);
  const instructions = [...earlier, ...fresh].filter(isInstruction).map(({ content }) => plain(content).trim());
  const parts = [tagged("instructions", instructions.filter((text) => text !== "").join("\n\n")), transcript(earlier), asked.text];
  const prompt = parts.filter((part) => part !== "").join("\n\n");
  if (prompt.length > MAX_PROMPT_CHARS) {
    throw new AppError("too_large", { param: "messages", detail: `at most ${MAX_PROMPT_CHARS} characters reach the agent at once` });
  }
  const { metadata } = request;
  return {
    sessionId,
    approvals: readChoice(metadata?.approvals, POLICIES, "deny", "metadata.approvals"),
    toolProgress: readChoice(metadata?.tool_progress, TOOL_PROGRESS, "off", "metadata.tool_progress"),
    prompt,
    title: asked.text,
    attached: asked.attached,
  };
}

/** The agent has tools of its own and writes as it works: what would change its answer and cannot, is said. */
function refuseImpossible({ tools, tool_choice: choice, response_format: format, stop }: ChatRequest): void {
  if ((tools?.length ?? 0) > 0) throw refuse("tools", "the agent has tools of its own; name a model such as claude-… to bring yours");
  if (choice !== null && choice !== undefined && choice !== "auto" && choice !== "none")
    throw refuse("tool_choice", "the agent chooses among its own tools");
  if (format !== null && format !== undefined && format.type !== "text")
    throw refuse("response_format", "the agent answers in text; name a model such as claude-… for JSON");
  if (stop !== null && stop !== undefined && stop.length > 0) throw refuse("stop", "the agent ends when its work is done");
}

function readSessionId({ metadata }: ChatRequest, header: string | null): string | null {
  const inBody = metadata?.session_id;
  if (inBody !== undefined && header !== null && inBody !== header)
    throw refuse("metadata.session_id", `another session than the header ${SESSION_HEADER} names`);
  const sessionId = inBody ?? header;
  if (sessionId === null) return null;
  if (!sessionIdSchema.safeParse(sessionId).success) throw new AppError("not_found", { param: "metadata.session_id" });
  return sessionId;
}

function readChoice<T extends string>(value: string | undefined, choices: readonly T[], otherwise: T, param: string): T {
  if (value === undefined) return otherwise;
  const chosen = choices.find((choice) => choice === value);
  if (chosen === undefined) throw refuse(param, `one of ${choices.join(", ")}`);
  return chosen;
}

type UserMessage = Extract<ChatMessage, { role: "user" }>;
type Instruction = Extract<ChatMessage, { role: "system" | "developer" }>;
const isInstruction = (message: ChatMessage): message is Instruction => message.role === "system" || message.role === "developer";

function userText(messages: readonly ChatMessage[], offset: number): { text: string; attached: AttachedUrl[] } {
  const texts: string[] = [];
  const attached: AttachedUrl[] = [];
  for (const [index, message] of messages.entries()) {
    const param = `messages[${offset + index}]`;
    if (message.role === "tool") throw refuse(param, "the agent uses its own tools; it takes no results of yours");
    if (message.role !== "user") continue;
    texts.push(plain(message.content).trim());
    attached.push(...attachedOf(message, param));
  }
  const text = texts.filter((each) => each !== "").join("\n\n");
  if (text === "" && attached.length === 0) throw refuse("messages", "the last message has to be a user's, with something in it");
  return { text, attached };
}

function attachedOf({ content }: UserMessage, param: string): AttachedUrl[] {
  if (typeof content === "string") return [];
  return content.flatMap((part, index): AttachedUrl[] => {
    const at = `${param}.content[${index}]`;
    if (part.type === "image_url") return [{ url: part.image_url.url, name: null, param: at }];
    if (part.type !== "file") return [];
    const { file_data: url, filename } = part.file;
    if (typeof url !== "string") throw refuse(at, "send the file itself as file_data; nothing is stored here under a file_id");
    return [{ url, name: filename ?? null, param: at }];
  });
}

/** Text parts alone; what else there was is named, so that the words around it make sense. */
function plain(content: Exclude<ChatMessage["content"], null | undefined>): string {
  if (typeof content === "string") return content;
  return content
    .map((part) => (part.type === "text" ? part.text : part.type === "refusal" ? part.refusal : ""))
    .filter((text) => text !== "")
    .join("\n");
}

const tagged = (tag: string, text: string): string => (text === "" ? "" : `<${tag}>\n${text}\n</${tag}>`);

/** Earlier turns as quotation, cut at the beginning. */
function transcript(messages: readonly ChatMessage[]): string {
  const turns = messages.flatMap((message): string[] => {
    if (message.role !== "user" && message.role !== "assistant") return [];
    const text = plain(message.content ?? "").trim();
    return text === "" ? [] : [`${message.role === "user" ? "User" : "Assistant"}: ${text}`];
  });
  const kept: string[] = [];
  let chars = 0;
  for (const turn of turns.toReversed()) {
    chars += turn.length;
    if (chars > MAX_TRANSCRIPT_CHARS) break;
    kept.unshift(turn);
  }
  if (kept.length < turns.length) kept.unshift("(Earlier turns are left out.)");
  return tagged("earlier-conversation", kept.join("\n\n"));
}
