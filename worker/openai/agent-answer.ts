/**
 * A turn of the agent in the words of OpenAI's chat answers (SPEC CA28): its text as content, its tools as the request wanted them
 * told, and what it changed and cost as metadata of the last chunk. Pure.
 */
import type { MessageFollow } from "../api/code-message.ts";
import type { TurnPiece } from "../api/turn-output.ts";
import { isErrorCode } from "@ai-dev-platform/protocol/errors";
import { AppError } from "../errors.ts";
import type { ToolProgress } from "./agent-request.ts";
import { ChunkWriter, comment, completionBody, DONE, usageBody, type CompletionHead, type CompletionUsage } from "./chunks.ts";

type ToolPiece = Extract<TurnPiece, { type: "tool" }>;

/** The answer's text, with a line for each tool where the request wanted that. */
export class AgentText {
  readonly #progress: ToolProgress;
  #text = "";

  constructor(progress: ToolProgress) {
    this.#progress = progress;
  }

  /** What the piece adds. Text that the agent took back goes from the whole; what was sent of it cannot be unsaid. */
  take(piece: TurnPiece): string {
    if (piece.type === "text_dropped") this.#text = this.#text.slice(0, Math.max(0, this.#text.length - piece.chars));
    const added = piece.type === "text" ? piece.text : piece.type === "tool" ? this.#tool(piece) : "";
    this.#text += added;
    return added;
  }

  get whole(): string {
    return this.#text;
  }

  #tool({ tool, subject, state }: ToolPiece): string {
    if (this.#progress !== "text" || state === "ended") return "";
    const gap = this.#text === "" || this.#text.endsWith("\n\n") ? "" : "\n\n";
    return `${gap}> ${state === "failed" ? `${tool} failed` : tool}${subject === "" ? "" : `: ${subject}`}\n\n`;
  }
}

/** The same as chunks. */
export class AgentWords {
  readonly #chunks: ChunkWriter;
  readonly #progress: ToolProgress;
  readonly #text: AgentText;

  constructor(head: CompletionHead, progress: ToolProgress, includeUsage: boolean) {
    this.#chunks = new ChunkWriter(head, includeUsage);
    this.#progress = progress;
    this.#text = new AgentText(progress);
  }

  begin(): string {
    return this.#chunks.role();
  }

  say(piece: TurnPiece): string {
    const text = this.#text.take(piece);
    if (text !== "") return this.#chunks.text(text);
    if (piece.type !== "tool" || this.#progress !== "comments") return "";
    return comment(`tool ${piece.tool} ${piece.state}${piece.subject === "" ? "" : `: ${piece.subject}`}`);
  }

  end(follow: MessageFollow): string {
    return this.#chunks.finish("stop", { metadata: metadataOf(follow) }) + this.#chunks.usage(usageOf(follow)) + DONE;
  }
}

/** The answer in one piece. */
export function agentCompletion(head: CompletionHead, follow: MessageFollow, content: string) {
  const body = completionBody(head, { content, toolCalls: [], finishReason: "stop", usage: usageOf(follow) });
  return { ...body, metadata: metadataOf(follow) };
}

function metadataOf({ view }: MessageFollow) {
  const { session_id, id, turn_id, outcome, files_changed, usage } = view;
  return { session_id, message_id: id, turn_id, outcome, files_changed, cost_usd: usage?.cost_usd ?? 0 };
}

function usageOf({ fold }: MessageFollow): CompletionUsage {
  const { inputTokens = 0, cacheReadTokens = 0, cacheWriteTokens = 0, outputTokens = 0 } = fold.usage ?? {};
  return usageBody({
    prompt: inputTokens + cacheReadTokens + cacheWriteTokens,
    cached: cacheReadTokens,
    completion: outputTokens,
    reasoning: 0,
  });
}

/** What a turn that did not complete is answered with. One that somebody stopped is an answer that ends early. */
export function turnError({ fold, problem }: MessageFollow): AppError | null {
  if (fold.outcome === "completed" || fold.outcome === "stopped") return null;
  const code =
    problem !== null && isErrorCode(problem.code) ? problem.code : fold.outcome === "interrupted" ? "runner_lost" : "agent_error";
  return new AppError(code, problem?.detail === undefined ? {} : { detail: problem.detail });
}
