/** The peers of a session: `claude -p`, and a bare Agent SDK conversation, both talking straight to the scripted model. */
import { spawn } from "node:child_process";
import path from "node:path";
import { performance } from "node:perf_hooks";
import { type Query, query, type SDKUserMessage } from "@anthropic-ai/claude-agent-sdk";

export interface Peer {
  modelUrl: string;
  apiKey: string;
  folder: string;
}

export interface TurnTimes {
  /** By `Date.now()`, as the scripted model's own clock. */
  startedAt: number;
  /** From the prompt to its first streamed piece of text. */
  firstDeltaMs: number;
}

const binary = path.resolve(
  import.meta.dirname,
  `../../node_modules/@anthropic-ai/claude-agent-sdk-${process.platform}-${process.arch}/claude`,
);

const environment = ({ modelUrl, apiKey, folder }: Peer, name: string) => ({
  PATH: process.env["PATH"] ?? "",
  HOME: folder,
  CLAUDE_CONFIG_DIR: path.join(folder, name),
  ANTHROPIC_BASE_URL: modelUrl,
  ANTHROPIC_AUTH_TOKEN: apiKey,
  CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
  CLAUDE_CODE_PROVIDER_MANAGED_BY_HOST: "1",
  CLAUDE_CODE_STREAM_EVENT_HOLD_MS: "40",
});

/** Runs to its end; resolves with when it was started. */
export async function claudePrint(peer: Peer, prompt: string): Promise<number> {
  const startedAt = Date.now();
  const child = spawn(binary, ["-p", prompt], { cwd: peer.folder, env: environment(peer, "print"), stdio: "ignore" });
  await new Promise((resolve) => child.on("exit", resolve));
  return startedAt;
}

interface Conversation {
  turn(prompt: string): Promise<TurnTimes>;
  close(): void;
}

/** One warm process; prompts are streamed in. */
export function openConversation(peer: Peer): Conversation {
  const prompts = new Prompts();
  const stream = query({
    prompt: prompts,
    options: {
      cwd: peer.folder,
      env: environment(peer, "sdk"),
      includePartialMessages: true,
      permissionMode: "default",
      systemPrompt: { type: "preset", preset: "claude_code" },
      settingSources: [],
    },
  });
  let onDelta = (): void => undefined;
  let onResult = (): void => undefined;
  void read(stream, { delta: () => onDelta(), result: () => onResult() });
  return {
    async turn(prompt) {
      let firstDeltaMs = 0;
      const result = new Promise<void>((resolve) => (onResult = resolve));
      const startedAt = Date.now();
      const from = performance.now();
      onDelta = () => {
        if (firstDeltaMs === 0) firstDeltaMs = performance.now() - from;
      };
      prompts.push(prompt);
      await result;
      return { startedAt, firstDeltaMs };
    },
    close() {
      prompts.end();
      stream.close();
    },
  };
}

async function read(stream: Query, on: { delta(): void; result(): void }): Promise<void> {
  for await (const event of stream) {
    if (event.type === "stream_event" && event.event.type === "content_block_delta") on.delta();
    if (event.type === "result") on.result();
  }
}

/** Prompts as they come, until the end. */
class Prompts implements AsyncIterable<SDKUserMessage> {
  readonly #waiting: SDKUserMessage[] = [];
  #wake: () => void = () => undefined;
  #isEnded = false;

  push(content: string): void {
    this.#waiting.push({ type: "user", message: { role: "user", content }, parent_tool_use_id: null, session_id: "" });
    this.#wake();
  }

  end(): void {
    this.#isEnded = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<SDKUserMessage> {
    while (!this.#isEnded) {
      const next = this.#waiting.shift();
      if (next === undefined) await new Promise<void>((resolve) => (this.#wake = resolve));
      else yield next;
    }
  }
}
