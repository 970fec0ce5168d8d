/**
 * Which step of which scenario answers a request. Pure.
 *
 * The real client merges tool results, reminders and the next prompt into one user message and inserts messages of
 * its own, so "the last user message" means nothing: the walk goes backwards to the newest text that a person wrote,
 * and the answers given since then are the step's index.
 */
import { blocksOf, resultText, type ModelRequest, type RequestBlock } from "./request.ts";
import type { Block, Context, Scenario, Step } from "./scenario.ts";

const MARKER = /SCENARIO=([\w-]+)(?:\((\d+)\))?/;
const MARKERS = new RegExp(MARKER, "g");
/** After a move the client names the folder anew, and the one before in brackets. */
const WORKING_DIRECTORY = /(?:Primary working directory|Working directory|\bcwd): (.+?)(?: \(was .+\))?$/gm;
const PLAN_FILE = /(?:create your plan at|plan file (?:already )?exists at|Plan file:) (\S+\.md)/g;
const DEFERRED_TOOLS = /deferred tools are now available[^\n]*:\n((?:\w+\n)+)/;
/** A prompt that was given while the agent worked reaches the model inside one of the client's own wrappings. */
const STEERED =
  /user sent a new message while you were working:\s*([\s\S]*?)\s*(?:\n\nThis is how Claude Code|IMPORTANT:|<\/system-reminder>|$)/;
/** Texts in a user message that no person wrote. */
const CLIENT_TEXT = /^\s*(?:<system-reminder>|<command-|<local-command|\[Request interrupted|Caveat: )/;

export interface Selected {
  scenario: string;
  stepIndex: number;
  step: Step;
}

interface Found {
  prompts: string[];
  stepIndex: number;
  results: Context["results"];
  /** Given since the last answer, without choosing a scenario: the script goes on and says that it heard. */
  steered: string[];
}

export function select(request: ModelRequest, scenarios: readonly Scenario[], fallback: Scenario): Selected {
  const found = walk(request);
  const prompt = found.prompts.at(-1) ?? "";
  // What was said elsewhere may be quoted before the prompt.
  const marker = [...prompt.matchAll(MARKERS)].at(-1) ?? null;
  const scenario = marker === null ? fallback : (scenarios.find((each) => each.name === marker[1]) ?? unknownScenario(marker[1] ?? ""));
  const everything = allText(request);
  const steps = scenario.steps({
    cwd: lastMatch(everything, WORKING_DIRECTORY) ?? "",
    planFile: isPlanning(everything) ? (lastMatch(everything, PLAN_FILE) ?? null) : null,
    toolNames: new Set([...request.tools.flatMap((each) => (each.name === undefined ? [] : [each.name])), ...deferredTools(everything)]),
    prompt,
    earlierPrompts: found.prompts.slice(0, -1),
    argument: Number(marker?.[2] ?? 0),
    results: found.results,
  });
  const step = steps[found.stepIndex] ?? { blocks: [{ type: "text", text: "That was all of this script." }] };
  const heard = found.steered.map((each): Block => ({ type: "text", text: `Understood: “${each}” I go on.\n\n` }));
  return { scenario: scenario.name, stepIndex: found.stepIndex, step: { ...step, blocks: [...heard, ...step.blocks] } };
}

/** Reads the conversation forwards: each prompt starts the count of answers and results anew. */
function walk(request: ModelRequest): Found {
  const found: Found = { prompts: [], stepIndex: 0, results: [], steered: [] };
  const toolNames = new Map<string, string>();
  for (const message of request.messages) {
    if (message.role === "assistant") {
      found.stepIndex += 1;
      found.steered = [];
      for (const block of blocksOf(message.content)) if (block.type === "tool_use") toolNames.set(block.id ?? "", block.name ?? "");
      continue;
    }
    for (const block of blocksOf(message.content)) {
      const prompt = promptIn(block, message.role);
      if (prompt !== null && isSteer(block) && !MARKER.test(prompt) && found.prompts.length > 0) found.steered.push(prompt);
      else if (prompt !== null) {
        found.prompts.push(prompt);
        found.stepIndex = 0;
        found.results = [];
      } else if (block.type === "tool_result") {
        found.results.push({
          tool: toolNames.get(block.tool_use_id ?? "") ?? "",
          isError: block.is_error ?? false,
          text: resultText(block),
        });
      }
    }
  }
  return found;
}

const isSteer = (block: RequestBlock): boolean => STEERED.test(block.text ?? "");

function promptIn(block: RequestBlock, role: string): string | null {
  if (block.type !== "text" || block.text === undefined) return null;
  const steered = STEERED.exec(block.text)?.[1];
  if (steered !== undefined) return steered;
  return role === "user" && !CLIENT_TEXT.test(block.text) ? block.text : null;
}

function allText(request: ModelRequest): string {
  const fromSystem = blocksOf(request.system).map((block) => block.text ?? "");
  const fromMessages = request.messages
    .filter((message) => message.role !== "assistant")
    .flatMap((message) => blocksOf(message.content).map((block) => (block.type === "text" ? (block.text ?? "") : "")));
  return [...fromSystem, ...fromMessages].join("\n");
}

/** Tools that the client offers by name only; called directly, they run. */
const deferredTools = (everything: string): string[] => (DEFERRED_TOOLS.exec(everything)?.[1] ?? "").split("\n");

/** Plan mode is announced when it begins and when it ends: the newer notice counts. */
const isPlanning = (everything: string): boolean =>
  everything.lastIndexOf("Plan mode is active") >
  Math.max(everything.lastIndexOf("Exited Plan Mode"), everything.lastIndexOf("exited plan mode"));

function lastMatch(everything: string, pattern: RegExp): string | undefined {
  return [...everything.matchAll(pattern)].at(-1)?.[1]?.trim();
}

const unknownScenario = (name: string): Scenario => ({
  name: "unknown",
  steps: () => [{ blocks: [{ type: "text", text: `There is no scenario called ${name}.` }] }],
});
