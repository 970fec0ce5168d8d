/** Words of the command line to a command of the table, and every way it can end to an exit code. */
import { AGENT_PACKAGE_VERSION } from "./config.ts";
import { FatalError, helpOf, UserError, type Command } from "./commands/command.ts";
import { EXIT } from "./commands/exit-codes.ts";
import { answer, remark } from "./output.ts";

export async function runCli(words: readonly string[], commands: readonly Command[]): Promise<number> {
  try {
    return await dispatch(words, commands);
  } catch (error) {
    return report(error, words.includes("--json"));
  }
}

async function dispatch(words: readonly string[], commands: readonly Command[]): Promise<number> {
  const [name, ...rest] = words;
  if (name === "--version" || name === "-v") return say(AGENT_PACKAGE_VERSION);
  if (name === undefined || name === "--help" || name === "-h" || name === "help") return say(overview(commands));
  const command = commands.find((each) => each.name === name);
  if (command === undefined) throw new UserError(`There is no command "${name}".`, "See ai-dev-agent --help.");
  return rest.includes("--help") || rest.includes("-h") ? say(helpOf(command)) : command.run(rest);
}

function say(text: string): number {
  answer(text);
  return EXIT.ok;
}

function overview(commands: readonly Command[]): string {
  const width = Math.max(...commands.map((command) => command.name.length));
  const lines = commands.map((command) => `  ${command.name.padEnd(width)}  ${command.summary}`);
  return `ai-dev-agent ${AGENT_PACKAGE_VERSION} — runs coding-agent sessions on this computer\n\n${lines.join("\n")}\n\n  ai-dev-agent COMMAND --help   options of a command\n  ai-dev-agent --version        this program's version`;
}

/** For programs the error is the answer; for people it goes beside it. */
function report(error: unknown, isJson: boolean): number {
  if (error instanceof UserError) {
    if (isJson) answer(JSON.stringify({ ok: false, exitCode: error.exitCode, message: error.message, next: error.next }));
    else remark(`${error.message}\n${error.next}`);
    return error.exitCode;
  }
  if (error instanceof FatalError) {
    if (isJson) answer(JSON.stringify({ ok: false, exitCode: EXIT.fatal, message: error.message, next: null }));
    else remark(error.message);
    return EXIT.fatal;
  }
  remark(`This is a bug in ai-dev-agent ${AGENT_PACKAGE_VERSION}. Please report it with the lines below.`);
  remark(error instanceof Error ? (error.stack ?? error.message) : String(error));
  return EXIT.bug;
}
