/** A command as data: its options are checked before it runs, and its help is made from the same table. */
import { parseArgs } from "node:util";
import { EXIT } from "./exit-codes.ts";

export interface OptionSpec {
  type: "string" | "boolean";
  /** What stands for the value in the help, e.g. `URL`. */
  value?: string;
  summary: string;
  multiple?: boolean;
  required?: boolean;
}

export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

type Value<S extends OptionSpec> = S["type"] extends "boolean"
  ? boolean
  : S["multiple"] extends true
    ? string[]
    : S["required"] extends true
      ? string
      : string | undefined;
export type Values<O extends OptionSpecs> = { [K in keyof O]: Value<O[K]> };

export interface Command {
  name: string;
  summary: string;
  options: OptionSpecs;
  /** Checks the words after the command's name, then runs it. Resolves with the exit code. */
  run(words: readonly string[]): Promise<number>;
}

/** The person can set it right: what is wrong, and what to do next. */
export class UserError extends Error {
  readonly next: string;
  readonly exitCode: number;
  constructor(message: string, next: string, exitCode: number = EXIT.user) {
    super(message);
    this.next = next;
    this.exitCode = exitCode;
  }
}

/** It cannot go on, and nobody here did anything wrong. Exit code 2. */
export class FatalError extends Error {}

export function defineCommand<const O extends OptionSpecs>(spec: {
  name: string;
  summary: string;
  options: O;
  /** What words beside the options stand for; absent: none are taken. */
  words?: readonly string[];
  run(values: Values<O>, words: readonly string[]): Promise<number>;
}): Command {
  return {
    name: spec.name,
    summary: spec.summary,
    options: spec.options,
    run: async (words) => {
      const { values, positionals } = parse(spec.name, spec.options, words, spec.words !== undefined);
      return spec.run(readValues(spec.name, spec.options, values), positionals);
    },
  };
}

function readValues<const O extends OptionSpecs>(name: string, options: O, given: Record<string, unknown>): Values<O> {
  const values: Record<string, unknown> = {};
  for (const [key, option] of Object.entries(options)) {
    const value = given[key];
    if (value === undefined && option.required === true) throw new UserError(`--${key} is missing.`, `See ai-dev-agent ${name} --help.`);
    values[key] = value ?? (option.type === "boolean" ? false : option.multiple === true ? [] : undefined);
  }
  // Each key was just filled from the option of the same name, by its type.
  return values as Values<O>;
}

interface Parsed {
  values: Record<string, unknown>;
  positionals: string[];
}

function parse(name: string, options: OptionSpecs, words: readonly string[], allowPositionals: boolean): Parsed {
  const config = Object.fromEntries(
    Object.entries(options).map(([key, option]) => [key, { type: option.type, multiple: option.multiple ?? false }]),
  );
  try {
    return parseArgs({ args: [...words], options: config, strict: true, allowPositionals });
  } catch (error) {
    const [first = ""] = (error instanceof Error ? error.message : String(error)).split(". ");
    throw new UserError(`${first.replace(/\.$/, "")}.`, `See ai-dev-agent ${name} --help.`);
  }
}

export function helpOf(command: Command): string {
  const rows = Object.entries(command.options).map(([key, option]): [string, string] => [
    `--${key}${option.type === "string" ? ` ${option.value ?? "TEXT"}` : ""}`,
    `${option.summary}${option.required === true ? " (required)" : ""}${option.multiple === true ? " (repeatable)" : ""}`,
  ]);
  const width = Math.max(...rows.map(([left]) => left.length), 6);
  const lines = [...rows, ["--help", "this text"] as const].map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
  return `ai-dev-agent ${command.name} — ${command.summary}\n\n${lines.join("\n")}`;
}
