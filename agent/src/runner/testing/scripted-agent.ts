/** An agent whose process is the test: says what the test says, does what it is told, or not. */
import type { Agent, AgentOptions, AgentStart } from "../claude/agent.ts";
import { readAgentMessage } from "../claude/messages.ts";

export class ScriptedAgents {
  /** Every start, in order. */
  readonly started: ScriptedAgent[] = [];
  /** What the next starts answer instead of an agent. */
  readonly failures: string[] = [];
  onChange: () => void = () => undefined;

  readonly start = async (options: AgentOptions): Promise<AgentStart> => {
    const detail = this.failures.shift();
    if (detail !== undefined) return { ok: false, detail };
    const agent = new ScriptedAgent(options, () => this.onChange());
    this.started.push(agent);
    this.onChange();
    return { ok: true, agent };
  };

  get last(): ScriptedAgent {
    const agent = this.started.at(-1);
    if (agent === undefined) throw new Error("no agent was started");
    return agent;
  }
}

export class ScriptedAgent implements Agent {
  readonly options: AgentOptions;
  readonly info = { agentVersion: "9.9.9", model: "scripted", commands: [], models: [] };
  readonly prompts: { uuid: string; text: string }[] = [];
  readonly calls: string[] = [];
  readonly #changed: () => void;

  constructor(options: AgentOptions, changed: () => void) {
    this.options = options;
    this.#changed = changed;
  }

  say(raw: unknown): void {
    const message = readAgentMessage(raw);
    if (message !== null) this.options.onMessage(message);
  }

  stream(messageId: string, text: string, isFirst = true): void {
    if (isFirst) {
      this.say({ type: "stream_event", event: { type: "message_start", message: { id: messageId } } });
      this.say({ type: "stream_event", event: { type: "content_block_start", index: 0, content_block: { type: "text" } } });
    }
    this.say({ type: "stream_event", event: { type: "content_block_delta", index: 0, delta: { text } } });
  }

  write(messageId: string, text: string): void {
    this.say({ type: "assistant", session_id: "s1", message: { id: messageId, content: [{ type: "text", text }] } });
  }

  finish(more: object = {}): void {
    this.say({
      type: "result",
      subtype: "success",
      session_id: "s1",
      user_message_uuids: this.prompts.map((prompt) => prompt.uuid),
      ...more,
    });
  }

  prompt(uuid: string, text: string): void {
    this.prompts.push({ uuid, text });
    this.#note(`prompt ${text}`);
  }

  async interrupt(): Promise<{ stillQueued: string[] }> {
    this.#note("interrupt");
    return { stillQueued: [] };
  }

  async setMode(mode: string): Promise<void> {
    this.#note(`mode ${mode}`);
  }

  async setModel(model: string): Promise<void> {
    this.#note(`model ${model}`);
  }

  async measureContext(): Promise<{ usedTokens: number; maxTokens: number }> {
    return { usedTokens: 10, maxTokens: 100 };
  }

  async mcpServers(): Promise<[]> {
    return [];
  }

  async close(): Promise<void> {
    this.#note("close");
  }

  kill(): void {
    this.#note("kill");
  }

  #note(call: string): void {
    this.calls.push(call);
    this.#changed();
  }
}
