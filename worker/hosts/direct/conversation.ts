/**
 * One turn with the model: calls it, streams what it says, lets it look at saved files, until it has answered or is stopped
 * (SPEC DI2, DI5). Knows no socket and no storage; what it tells goes through its port. Never throws.
 */
import { APIUserAbortError } from "@anthropic-ai/sdk";
import type { ContentBlock, MessageParam, Message, TextBlockParam, ToolResultBlockParam } from "@anthropic-ai/sdk/resources/messages";
import type { Problem, RunnerEvent, TurnOutcome } from "@ai-dev-platform/protocol/events";
import { MAX_BLOCK_CHARS, MAX_TOOL_INPUT_CHARS, MAX_TOOL_OUTPUT_CHARS } from "@ai-dev-platform/protocol/limits";
import { MAX_ANSWER_TOKENS, MAX_STEPS } from "./limits.ts";
import { modelNameOf } from "../../llm/model-names.ts";
import { problemFrom, problemOf, type ModelClient } from "./model.ts";
import type { Remembered } from "./tables.ts";
import { TOOLS, type SavedTools } from "./tools.ts";
import { LEFT_OUT, systemPrompt } from "./words.ts";

export interface TurnPort {
  emit(event: RunnerEvent): void;
  live(piece: { block: string; offset: number; text: string }): void;
  /** Prompts that were given since the last call of this. */
  takeSteering(): string[];
  now(): number;
}

export interface TurnInput {
  turnId: string;
  prompt: string;
  model: string;
  memory: { turns: readonly Remembered[]; isCut: boolean };
  /** Null: nothing is saved. */
  tools: { saved: SavedTools; files: number } | null;
  signal: AbortSignal;
}

export interface TurnReport {
  outcome: TurnOutcome;
  problem?: Problem;
  /** What is remembered of it. */
  said: Remembered;
}

const TOO_LONG = "The answer was cut: it reached the longest length that direct mode allows. Ask for the rest.";

export async function converse(client: ModelClient, input: TurnInput, port: TurnPort): Promise<TurnReport> {
  const turn = new Conversation(client, input, port);
  try {
    const problem = await turn.run();
    return { outcome: problem === null ? "completed" : "failed", ...(problem === null ? {} : { problem }), said: turn.said };
  } catch (error) {
    if (input.signal.aborted || error instanceof APIUserAbortError) return { outcome: "stopped", said: turn.said };
    return { outcome: "failed", problem: problemFrom(error), said: turn.said };
  }
}

class Conversation {
  readonly #client: ModelClient;
  readonly #input: TurnInput;
  readonly #port: TurnPort;
  readonly #messages: MessageParam[];
  readonly #answers: string[] = [];
  readonly #prompts: string[];

  constructor(client: ModelClient, input: TurnInput, port: TurnPort) {
    this.#client = client;
    this.#input = input;
    this.#port = port;
    this.#prompts = [input.prompt];
    this.#messages = [...historyOf(input.memory), { role: "user", content: [cached(input.prompt)] }];
  }

  get said(): Remembered {
    return { prompt: this.#prompts.join("\n\n"), answer: this.#answers.join("\n\n") };
  }

  /** Null when it was answered. */
  async run(): Promise<Problem | null> {
    for (let step = 0; step < MAX_STEPS; step += 1) {
      const message = await this.#call(step);
      this.#messages.push({ role: "assistant", content: sendable(message.content) });
      const results = await this.#useTools(message.content);
      const steering = this.#port.takeSteering();
      this.#prompts.push(...steering);
      if (message.stop_reason === "max_tokens") this.#port.emit({ type: "notice", level: "warning", text: TOO_LONG });
      if (results.length === 0 && steering.length === 0) return null;
      this.#messages.push({ role: "user", content: [...results, ...steering.map(textBlock)] });
    }
    return problemOf("agent_error", "It took more steps than allowed.");
  }

  async #call(step: number): Promise<Message> {
    const { model, tools, signal } = this.#input;
    signal.throwIfAborted();
    const stream = this.#client.messages.stream(
      {
        model: modelNameOf(model),
        max_tokens: MAX_ANSWER_TOKENS,
        system: [cached(systemPrompt(tools?.files ?? null))],
        messages: this.#messages,
        ...(tools === null ? {} : { tools: TOOLS }),
      },
      { signal },
    );
    const writer = new BlockWriter(`${this.#input.turnId}:${step}`, this.#port, this.#answers);
    try {
      for await (const event of stream) {
        if (event.type === "content_block_start" && event.content_block.type === "text") writer.open(event.index);
        if (event.type === "content_block_delta" && event.delta.type === "text_delta") writer.add(event.delta.text);
        if (event.type === "content_block_stop") writer.close();
      }
      return await stream.finalMessage();
    } catch (error) {
      // What was said until a stop stays said; a broken answer is dropped, as it may be given anew.
      if (signal.aborted) writer.close();
      else writer.drop();
      throw error;
    }
  }

  async #useTools(content: readonly ContentBlock[]): Promise<ToolResultBlockParam[]> {
    const { tools, signal } = this.#input;
    const results: ToolResultBlockParam[] = [];
    for (const block of content) {
      if (block.type !== "tool_use") continue;
      signal.throwIfAborted();
      const startedAt = this.#port.now();
      this.#port.emit({ type: "tool_started", toolId: block.id, tool: block.name, input: boundedInput(block.input) });
      const { ok, output, path } = (await tools?.saved.call(block.name, block.input)) ?? { ok: false, output: "There are no tools." };
      const shown = output.slice(0, MAX_TOOL_OUTPUT_CHARS);
      const durationMs = Math.max(0, this.#port.now() - startedAt);
      const omittedChars = output.length - shown.length;
      const where = path === undefined ? {} : { path };
      this.#port.emit({ type: "tool_ended", toolId: block.id, ok, output: shown, omittedChars, durationMs, ...where });
      results.push({ type: "tool_result", tool_use_id: block.id, content: shown === "" ? "(empty)" : shown, is_error: !ok });
    }
    return results;
  }
}

/** Streams one block of text after the other, and writes each down when it is whole. */
class BlockWriter {
  readonly #prefix: string;
  readonly #port: TurnPort;
  readonly #answers: string[];
  #block: { name: string; text: string } | null = null;

  constructor(prefix: string, port: TurnPort, answers: string[]) {
    this.#prefix = prefix;
    this.#port = port;
    this.#answers = answers;
  }

  open(index: number): void {
    this.#block = { name: `${this.#prefix}:${index}`, text: "" };
  }

  add(text: string): void {
    const block = this.#block;
    if (block === null || text === "" || block.text.length + text.length > MAX_BLOCK_CHARS) return;
    this.#port.live({ block: block.name, offset: block.text.length, text });
    block.text += text;
  }

  close(): void {
    const block = this.#block;
    this.#block = null;
    if (block === null || block.text === "") return;
    if (block.text.trim() === "") return this.#port.emit({ type: "blocks_dropped", blocks: [block.name] });
    this.#port.emit({ type: "text_written", block: block.name, text: block.text });
    this.#answers.push(block.text);
  }

  drop(): void {
    const block = this.#block;
    this.#block = null;
    if (block !== null && block.text !== "") this.#port.emit({ type: "blocks_dropped", blocks: [block.name] });
  }
}

const textBlock = (text: string): TextBlockParam => ({ type: "text", text });
/** Where the provider may keep what comes before, so that the next call pays little for it. */
const cached = (text: string): TextBlockParam => ({ type: "text", text, cache_control: { type: "ephemeral" } });

function historyOf({ turns, isCut }: TurnInput["memory"]): MessageParam[] {
  const messages: MessageParam[] = isCut ? [{ role: "user", content: LEFT_OUT }] : [];
  for (const { prompt, answer } of turns) {
    messages.push({ role: "user", content: prompt });
    if (answer !== "") messages.push({ role: "assistant", content: answer });
  }
  return messages;
}

/** An empty block of text is refused by the provider, and an answer without any content too. */
function sendable(content: readonly ContentBlock[]): MessageParam["content"] {
  const kept = content.filter((block) => block.type !== "text" || block.text !== "");
  return kept.length === 0 ? "(nothing)" : kept;
}

function boundedInput(input: unknown): Record<string, unknown> {
  if (typeof input !== "object" || input === null) return {};
  if (JSON.stringify(input).length > MAX_TOOL_INPUT_CHARS) return { omitted: "The input is too large to show." };
  return { ...input };
}
