/** `completion bash|zsh|fish`: scripts made from the table of commands, so that they never say what is not there. */
import { answer } from "../output.ts";
import { UserError, type Command } from "./command.ts";
import { EXIT } from "./exit-codes.ts";

const SHELLS = { bash, zsh, fish };
const isShell = (text: string): text is keyof typeof SHELLS => Object.hasOwn(SHELLS, text);

export const completionOf = (all: () => readonly Command[]): Command => ({
  name: "completion",
  summary: "print a completion script: completion bash, zsh or fish",
  options: {},
  run: async (words) => {
    const [shell = "", ...rest] = words.filter((word) => word !== "--json");
    if (!isShell(shell) || rest.length > 0)
      throw new UserError("Name one shell: bash, zsh or fish.", "For example: ai-dev-agent completion bash >> ~/.bashrc");
    answer(SHELLS[shell](all()));
    return EXIT.ok;
  },
});

const optionsOf = (command: Command): string[] => [...Object.keys(command.options).map((name) => `--${name}`), "--help"];
const namesOf = (commands: readonly Command[]): string => commands.map((command) => command.name).join(" ");

function bash(commands: readonly Command[]): string {
  const cases = commands.map((command) => `    ${command.name}) words="${optionsOf(command).join(" ")}" ;;`).join("\n");
  return `_ai_dev_agent() {
  local words="${namesOf(commands)} --help --version"
  if [ "$COMP_CWORD" -gt 1 ]; then
    case "\${COMP_WORDS[1]}" in
${cases}
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _ai_dev_agent ai-dev-agent`;
}

function zsh(commands: readonly Command[]): string {
  const described = commands.map((command) => `    '${command.name}:${quoted(command.summary)}'`).join("\n");
  const cases = commands.map((command) => `    ${command.name}) _values -w option ${optionsOf(command).join(" ")} && return ;;`).join("\n");
  return `#compdef ai-dev-agent
_ai_dev_agent() {
  local -a commands=(
${described}
  )
  if (( CURRENT == 2 )); then _describe command commands; return; fi
  case $words[2] in
${cases}
  esac
  _files
}
compdef _ai_dev_agent ai-dev-agent`;
}

const quoted = (text: string): string => text.replaceAll("'", "'\\''").replaceAll(":", "\\:");

function fish(commands: readonly Command[]): string {
  const lines = commands.flatMap((command) => [
    `complete -c ai-dev-agent -n __fish_use_subcommand -f -a ${command.name} -d '${fishQuoted(command.summary)}'`,
    ...Object.entries(command.options).map(
      ([name, option]) =>
        `complete -c ai-dev-agent -n '__fish_seen_subcommand_from ${command.name}' -l ${name}${option.type === "string" ? " -r" : ""} -d '${fishQuoted(option.summary)}'`,
    ),
  ]);
  return lines.join("\n");
}

const fishQuoted = (text: string): string => text.replaceAll("\\", "\\\\").replaceAll("'", "\\'");
