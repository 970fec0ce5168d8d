/**
 * Slash commands of the composer. Pure: finds what is being typed, ranks what fits, and tells our own commands from
 * those that the agent takes as text. Invariant: an unknown `/x` is never swallowed; it is sent as it stands.
 */
import { MODES, type Mode } from "@ai-dev-platform/protocol/modes";

export interface SlashCommand {
  name: string;
  description: string;
  argumentHint: string;
  /** `ours` acts on the session; `agent` is sent to Claude as text. */
  group: "ours" | "agent";
}

export interface SlashChoice {
  key: string;
  label: string;
  hint: string;
  description: string;
  group: "ours" | "agent" | "argument";
  /** What the field holds after the choice. */
  text: string;
  /** The text is complete: choosing it runs it. */
  runs: boolean;
}

export type OwnCommand =
  | { name: "share" }
  | { name: "save" }
  | { name: "rename"; title: string }
  | { name: "mode"; mode: Mode }
  | { name: "model"; model: string };

interface ChoiceOfArgument {
  value: string;
  label: string;
  description: string;
}

export interface SlashContext {
  commands: readonly SlashCommand[];
  modes: readonly ChoiceOfArgument[];
  models: readonly ChoiceOfArgument[];
}

export const MAX_CHOICES = 50;

/** The command name under the caret, when the text so far is nothing but a command. */
export function slashFragment(text: string, caret: number): string | null {
  const head = text.slice(0, caret);
  const match = /^\/([\w:.-]*)$/.exec(head);
  return match?.[1] ?? null;
}

/** Lower is better; null does not fit. Prefix before word start before letters in order. */
export function matchRank(name: string, fragment: string): number | null {
  const candidate = name.toLowerCase();
  const wanted = fragment.toLowerCase();
  if (wanted === "") return 1;
  if (candidate === wanted) return 0;
  if (candidate.startsWith(wanted)) return 1;
  if (candidate.split(/[-:_.]/).some((word) => word.startsWith(wanted))) return 2;
  if (candidate.includes(wanted)) return 3;
  let at = 0;
  for (const letter of candidate) if (letter === wanted[at]) at += 1;
  return at === wanted.length ? 4 : null;
}

function ranked<T>(items: readonly T[], nameOf: (item: T) => string, fragment: string): T[] {
  return items
    .map((item, index) => ({ item, index, rank: matchRank(nameOf(item), fragment) }))
    .filter((entry): entry is { item: T; index: number; rank: number } => entry.rank !== null)
    .toSorted((a, b) => a.rank - b.rank || a.index - b.index)
    .slice(0, MAX_CHOICES)
    .map((entry) => entry.item);
}

/** What to offer for the text as it stands; empty when no command is being typed. */
export function slashChoices(text: string, caret: number, context: SlashContext): SlashChoice[] {
  const fragment = slashFragment(text, caret);
  if (fragment !== null) return ranked(context.commands, (command) => command.name, fragment).map(commandChoice);
  const argument = /^\/(mode|model) (\S*)$/.exec(text.slice(0, caret));
  if (argument === null) return [];
  const [, name, typed = ""] = argument;
  const values = name === "mode" ? context.modes : context.models;
  return ranked(values, (value) => `${value.value} ${value.label}`, typed).map((value) => ({
    key: `argument:${value.value}`,
    label: value.label,
    hint: "",
    description: value.description,
    group: "argument",
    text: `/${name} ${value.value}`,
    runs: true,
  }));
}

function commandChoice(command: SlashCommand): SlashChoice {
  const takesArgument = command.argumentHint !== "";
  return {
    key: `${command.group}:${command.name}`,
    label: `/${command.name}`,
    hint: command.argumentHint,
    description: command.description,
    group: command.group,
    text: takesArgument ? `/${command.name} ` : `/${command.name}`,
    runs: !takesArgument && command.group === "ours",
  };
}

const isMode = (text: string): text is Mode => MODES.some((mode) => mode === text);

/** Reads one of our own commands. Null: send the text to the agent as it stands. */
export function readOwnCommand(text: string, context: SlashContext): OwnCommand | null {
  const match = /^\/(share|save|rename|mode|model)(?:\s+([^\n]*))?$/.exec(text.trim());
  if (match === null) return null;
  const name = match[1];
  const argument = (match[2] ?? "").trim();
  switch (name) {
    case "share":
    case "save":
      return argument === "" ? { name } : null;
    case "rename":
      return argument === "" ? null : { name, title: argument.slice(0, 200) };
    case "mode": {
      const value = pickArgument(context.modes, argument);
      return value !== null && isMode(value) ? { name, mode: value } : null;
    }
    case "model": {
      const value = pickArgument(context.models, argument);
      return value === null ? null : { name, model: value };
    }
    default:
      return null;
  }
}

function pickArgument(values: readonly ChoiceOfArgument[], argument: string): string | null {
  const wanted = argument.toLowerCase();
  const found = values.find((value) => value.value.toLowerCase() === wanted || value.label.toLowerCase() === wanted);
  return found?.value ?? null;
}

/** Ours first, then the agent's; a name that both have is ours. */
export function mergeCommands(ours: readonly SlashCommand[], agent: readonly Omit<SlashCommand, "group">[]): SlashCommand[] {
  const taken = new Set(ours.map((command) => command.name));
  const theirs = agent
    .map((command) => ({ ...command, name: command.name.replace(/^\//, ""), group: "agent" as const }))
    .filter((command) => !taken.has(command.name));
  return [...ours, ...theirs];
}
