/**
 * What the scripted model says, as data: a scenario is a list of steps, a step is the blocks of one answer.
 * A scenario is asked anew at every request with what is known by then, so that it can react to tool results.
 */
export type Block =
  /** `deltas`: into how many pieces the text is cut; by default by size. */
  | { type: "text"; text: string; deltas?: number }
  | { type: "thinking"; thinking: string }
  | { type: "tool_use"; name: string; input: Record<string, unknown> };

/** How a request is made to fail, instead of being answered (or in the middle of it). */
export type Fault =
  | { kind: "http"; status: number; body?: unknown; headers?: Record<string, string> }
  /** The connection is closed before a byte is sent. */
  | { kind: "destroy" }
  /** The connection is closed after this many deltas. */
  | { kind: "cut"; afterDeltas: number }
  /** An `error` event in the middle of the stream. */
  | { kind: "sse_error"; errorType: string; message: string }
  /** Nothing more is sent for this long after the first delta. */
  | { kind: "stall"; ms: number };

export interface Step {
  blocks: Block[];
  fault?: Fault;
  /** Milliseconds between deltas, instead of the server's pace. */
  paceMs?: number;
}

export interface ToolResult {
  tool: string;
  isError: boolean;
  text: string;
}

/** What a scenario may know when it is asked for its next step. */
export interface Context {
  /** The agent's working directory, "" when the request names none. */
  cwd: string;
  /** Where plan mode wants the plan; null outside plan mode. */
  planFile: string | null;
  toolNames: ReadonlySet<string>;
  prompt: string;
  /** Earlier prompts of the conversation, oldest first. */
  earlierPrompts: string[];
  /** The number in `SCENARIO=name(n)`; 0 without. */
  argument: number;
  /** Tool results since the prompt, in order. */
  results: ToolResult[];
}

export interface Scenario {
  name: string;
  steps(context: Context): Step[];
}

export const text = (words: string, deltas?: number): Block => ({ type: "text", text: words, ...(deltas === undefined ? {} : { deltas }) });
export const tool = (name: string, input: Record<string, unknown>): Block => ({ type: "tool_use", name, input });
export const step = (...blocks: Block[]): Step => ({ blocks });
