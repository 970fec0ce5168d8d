/**
 * The agent's messages as events and live text. PURE: (state, message, now) -> {state, events, live, …}.
 * A block of text keeps one id from its first streamed piece to its event: `<message id>:<index>`. Streamed blocks that no
 * finished message confirms are dropped by name (SPEC LV1, LV3).
 */
import type { RunnerEvent } from "@ai-dev-platform/protocol/events";
import type { Mode } from "@ai-dev-platform/protocol/modes";
import type { LivePiece } from "../live.ts";
import type { AgentMessage, AssistantBlock, AssistantMessage, StreamEventMessage, SystemMessage, UserMessage } from "./messages.ts";
import { modeAfterReport } from "./modes.ts";
import { readResult, type TurnResult } from "./outcome.ts";
import { displayPath, patchOfResult } from "./patch.ts";
import { todosAfter, type Tasks } from "./todos.ts";
import { boundedInput, boundedOutput, outputText, wholeCharacters } from "./tools.ts";

/** A block that streams and is not yet an event. */
interface OpenBlock {
  block: string;
  messageId: string;
  kind: "text" | "thinking";
  text: string;
  parentToolId: string | undefined;
}

interface OpenTool {
  tool: string;
  startedAt: number;
  path: string | undefined;
  /** Kept only for the tools whose input is needed at their end. */
  input: Record<string, unknown> | undefined;
}

export interface TranslatorState {
  /** The workspace: paths inside it are shown relative. */
  root: string;
  mode: Mode;
  agentSessionId: string | null;
  /** The message that streams now, by parent tool ("" for the main conversation). */
  streaming: Readonly<Record<string, string>>;
  openBlocks: readonly OpenBlock[];
  /** The next free block number of the newest message of each parent. */
  numbering: Readonly<Record<string, { messageId: string; next: number }>>;
  tools: Readonly<Record<string, OpenTool>>;
  tasks: Tasks;
}

export interface Translation {
  state: TranslatorState;
  events: RunnerEvent[];
  live: LivePiece[];
  /** Blocks whose live text is over: written or dropped. */
  finished: string[];
  lifecycle?: { uuid: string; state: string };
  result?: TurnResult;
}

/** One block event stays below the frame limit even when every character needs an escape. */
const EVENT_TEXT_CHARS = 140_000;
const INPUT_NEEDED_AT_END = new Set(["TodoWrite", "TaskUpdate"]);

export const newTranslator = (root: string, mode: Mode, agentSessionId: string | null): TranslatorState => ({
  root,
  mode,
  agentSessionId,
  streaming: {},
  openBlocks: [],
  numbering: {},
  tools: {},
  tasks: {},
});

const nothing = (state: TranslatorState): Translation => ({ state, events: [], live: [], finished: [] });

export function toEvents(before: TranslatorState, message: AgentMessage, now: number): Translation {
  const state = withSession(before, message);
  switch (message.type) {
    case "stream_event":
      return fromStream(state, message);
    case "assistant":
      return fromAssistant(state, message, now);
    case "user":
      return fromUser(state, message, now);
    case "system":
      return fromSystem(state, message);
    case "command_lifecycle":
      return { ...nothing(state), lifecycle: { uuid: message.command_uuid, state: message.state } };
    case "conversation_reset":
      return nothing({ ...state, agentSessionId: message.new_conversation_id, tasks: {} });
    case "result":
      return { ...abandonAll(state, now), result: readResult(message) };
  }
}

function withSession(state: TranslatorState, message: AgentMessage): TranslatorState {
  const id = "session_id" in message ? message.session_id : undefined;
  return id === undefined || id === state.agentSessionId ? state : { ...state, agentSessionId: id };
}

/** The agent is done or gone: nothing that still streams or runs will be finished. */
export function abandonAll(state: TranslatorState, now: number): Translation {
  const dropped = abandonBlocks(state, () => true);
  for (const [toolId, tool] of Object.entries(state.tools)) {
    const durationMs = Math.max(0, Math.round(now - tool.startedAt));
    dropped.events.push({ type: "tool_ended", toolId, ok: false, output: "Stopped before it finished.", omittedChars: 0, durationMs });
  }
  return { ...dropped, state: { ...dropped.state, tools: {}, streaming: {} } };
}

/** A person's answer took its time; the tool's own time starts after it. */
export function toolAllowed(state: TranslatorState, toolId: string, now: number): TranslatorState {
  const tool = state.tools[toolId];
  return tool === undefined ? state : { ...state, tools: { ...state.tools, [toolId]: { ...tool, startedAt: now } } };
}

function abandonBlocks(state: TranslatorState, isOver: (block: OpenBlock) => boolean): Translation {
  const over = state.openBlocks.filter(isOver);
  if (over.length === 0) return nothing(state);
  const shown = over.filter((open) => open.text !== "").map((open) => open.block);
  return {
    state: { ...state, openBlocks: state.openBlocks.filter((open) => !isOver(open)) },
    events: shown.length === 0 ? [] : [{ type: "blocks_dropped", blocks: shown }],
    live: [],
    finished: over.map((open) => open.block),
  };
}

function fromStream(state: TranslatorState, message: StreamEventMessage): Translation {
  const { event } = message;
  const parentToolId = message.parent_tool_use_id ?? undefined;
  const key = parentToolId ?? "";
  if (event.type === "message_start" && event.message !== undefined) {
    const messageId = event.message.id;
    const dropped = abandonBlocks(state, (open) => open.parentToolId === parentToolId);
    const streaming = { ...state.streaming, [key]: messageId };
    return { ...dropped, state: { ...dropped.state, streaming, numbering: { ...state.numbering, [key]: { messageId, next: 0 } } } };
  }
  const messageId = message.api_message_id ?? state.streaming[key];
  if (messageId === undefined) return nothing(state);
  if (event.type === "message_stop")
    return abandonBlocks(state, (open) => open.messageId === messageId && open.parentToolId === parentToolId);
  const block = `${messageId}:${event.index ?? 0}`;
  if (event.type === "content_block_start")
    return openBlock(state, { block, messageId, parentToolId }, event.content_block?.type, event.index ?? 0);
  if (event.type === "content_block_delta") return growBlock(state, block, event.delta?.text ?? event.delta?.thinking ?? "");
  return nothing(state);
}

function openBlock(
  state: TranslatorState,
  id: Pick<OpenBlock, "block" | "messageId" | "parentToolId">,
  kind: string | undefined,
  index: number,
): Translation {
  const numbering = { ...state.numbering, [id.parentToolId ?? ""]: { messageId: id.messageId, next: index + 1 } };
  if (kind !== "text" && kind !== "thinking") return nothing({ ...state, numbering });
  return nothing({ ...state, numbering, openBlocks: [...state.openBlocks, { ...id, kind, text: "" }] });
}

function growBlock(state: TranslatorState, block: string, text: string): Translation {
  const open = state.openBlocks.find((one) => one.block === block);
  if (open === undefined || text === "") return nothing(state);
  const grown = { ...open, text: open.text + text };
  const piece: LivePiece = { block, kind: open.kind, offset: open.text.length, text, parentToolId: open.parentToolId };
  return { ...nothing({ ...state, openBlocks: state.openBlocks.map((one) => (one === open ? grown : one)) }), live: [piece] };
}

/** Whole text of what streams now: given again to a session that has lost its connection. */
export const openLive = (state: TranslatorState): LivePiece[] =>
  state.openBlocks.map(({ block, kind, text, parentToolId }) => ({ block, kind, offset: 0, text, parentToolId }));

function fromAssistant(before: TranslatorState, message: AssistantMessage, now: number): Translation {
  // The words of a failed model call stand in the turn's problem; as text they would look like the agent's.
  if (message.error !== undefined) return nothing(before);
  const out = nothing(before);
  const parentToolId = message.parent_tool_use_id ?? undefined;
  for (const content of message.message.content) {
    if (content.type === "tool_use") startTool(out, content, parentToolId, now);
    else if (content.type === "text") writeBlock(out, "text", content.text ?? "", message.message.id, parentToolId);
    else if (content.type === "thinking") writeBlock(out, "thinking", content.thinking ?? "", message.message.id, parentToolId);
  }
  return out;
}

/** Gives a finished block its id: the streamed one's, or the next free number of its message. */
function writeBlock(out: Translation, kind: "text" | "thinking", text: string, messageId: string, parentToolId: string | undefined): void {
  const { state } = out;
  const open = state.openBlocks.find((one) => one.messageId === messageId && one.kind === kind && one.parentToolId === parentToolId);
  const key = parentToolId ?? "";
  const numbering = state.numbering[key];
  const next = numbering?.messageId === messageId ? numbering.next : 0;
  const block = open?.block ?? `${messageId}:${next}`;
  out.state = {
    ...state,
    openBlocks: open === undefined ? state.openBlocks : state.openBlocks.filter((one) => one !== open),
    numbering: open === undefined ? { ...state.numbering, [key]: { messageId, next: next + 1 } } : state.numbering,
  };
  if (open !== undefined) out.finished.push(block);
  if (text.trim() === "") {
    if (open !== undefined && open.text !== "") out.events.push({ type: "blocks_dropped", blocks: [block] });
    return;
  }
  const type = kind === "text" ? "text_written" : "thinking_written";
  const parent = parentToolId === undefined ? {} : { parentToolId };
  let rest = text;
  for (let part = 0; rest !== ""; part += 1) {
    const piece = wholeCharacters(rest, EVENT_TEXT_CHARS);
    rest = rest.slice(piece.length);
    out.events.push({ type, block: part === 0 ? block : `${block}.${part}`, text: piece, ...parent });
  }
}

function startTool(out: Translation, content: AssistantBlock, parentToolId: string | undefined, now: number): void {
  if (content.id === undefined || content.name === undefined) return;
  const input = content.input ?? {};
  const file = input["file_path"] ?? input["notebook_path"];
  const opened: OpenTool = {
    tool: content.name,
    startedAt: now,
    path: typeof file === "string" ? displayPath(out.state.root, file) : undefined,
    input: INPUT_NEEDED_AT_END.has(content.name) ? input : undefined,
  };
  out.state = { ...out.state, tools: { ...out.state.tools, [content.id]: opened } };
  const parent = parentToolId === undefined ? {} : { parentToolId };
  out.events.push({ type: "tool_started", toolId: content.id, tool: content.name, input: boundedInput(input), ...parent });
}

function fromUser(before: TranslatorState, message: UserMessage, now: number): Translation {
  const out = nothing(before);
  const { content } = message.message;
  if (typeof content === "string") return out;
  for (const block of content) {
    if (block.type !== "tool_result" || block.tool_use_id === undefined) continue;
    const toolId = block.tool_use_id;
    const tool = out.state.tools[toolId];
    if (tool === undefined) continue;
    const ok = block.is_error !== true;
    const edit = ok ? patchOfResult(before.root, message.tool_use_result) : undefined;
    const path = edit?.path ?? tool.path;
    out.events.push({
      type: "tool_ended",
      toolId,
      ok,
      ...boundedOutput(outputText(block.content)),
      durationMs: Math.max(0, Math.round(now - tool.startedAt)),
      ...(edit === undefined ? {} : { patch: edit.patch }),
      ...(path === undefined ? {} : { path }),
    });
    endTool(out, toolId, tool, ok ? message.tool_use_result : undefined);
  }
  return out;
}

function endTool(out: Translation, toolId: string, tool: OpenTool, result: unknown): void {
  const tools = Object.fromEntries(Object.entries(out.state.tools).filter(([id]) => id !== toolId));
  out.state = { ...out.state, tools };
  const change = result === undefined ? null : todosAfter(out.state.tasks, { tool: tool.tool, input: tool.input, result });
  if (change === null) return;
  out.state = { ...out.state, tasks: change.tasks };
  out.events.push({ type: "todos_updated", items: change.items });
}

function fromSystem(state: TranslatorState, message: SystemMessage): Translation {
  switch (message.subtype) {
    case "init":
    case "status": {
      if (message.permissionMode === undefined) return nothing(state);
      const mode = modeAfterReport(state.mode, message.permissionMode);
      return mode === state.mode ? nothing(state) : { ...nothing({ ...state, mode }), events: [{ type: "agent_mode_changed", mode }] };
    }
    case "api_retry": {
      const whole = (value: number | undefined): number => Math.max(0, Math.round(value ?? 0));
      const { attempt, max_retries: max, retry_delay_ms: delay, error_status: status } = message;
      const event: RunnerEvent = {
        type: "agent_retrying",
        attempt: whole(attempt),
        maxAttempts: whole(max),
        delayMs: whole(delay),
        status: typeof status === "number" ? Math.round(status) : null,
      };
      return { ...nothing(state), events: [event] };
    }
    case "compact_boundary":
      return {
        ...nothing(state),
        events: [{ type: "conversation_compacted", beforeTokens: Math.max(0, Math.round(message.compact_metadata?.pre_tokens ?? 0)) }],
      };
    case "local_command_output": {
      const text = message.content?.trim() ?? "";
      if (text === "") return nothing(state);
      return {
        ...nothing(state),
        events: [{ type: "text_written", block: `command:${message.uuid ?? ""}`, text: wholeCharacters(text, EVENT_TEXT_CHARS) }],
      };
    }
    default:
      return nothing(state);
  }
}
