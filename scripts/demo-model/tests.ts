/** Scenarios for tests, chosen by `SCENARIO=name(n)` in the prompt. */
import { step, text, tool, type Context, type Scenario } from "./scenario.ts";

const inCwd = (context: Context, name: string): string => `${context.cwd}/${name}`;

const bash = (command: string, description: string) => tool("Bash", { command, description });

const QUESTION = {
  question: "Which colour should the button have?",
  header: "Colour",
  multiSelect: false,
  options: [
    { label: "Blue", description: "Calm" },
    { label: "Green", description: "Fresh" },
  ],
};

export const TEST_SCENARIOS: readonly Scenario[] = [
  { name: "text-only", steps: () => [step(text("Hello from the scripted model."))] },
  { name: "thinking", steps: () => [step({ type: "thinking", thinking: "The user wants a thought." }, text("I thought about it."))] },
  {
    name: "write-and-bash",
    steps: (context) => [
      step(text("I'll write hello.py."), tool("Write", { file_path: inCwd(context, "hello.py"), content: 'print("hello")\n' })),
      step(bash("python3 hello.py > out.txt && cat out.txt", "Run the script")),
      step(text("Done: hello.py says hello.")),
    ],
  },
  {
    name: "edit",
    steps: (context) => [
      step(tool("Write", { file_path: inCwd(context, "note.txt"), content: "one\ntwo\nthree\n" })),
      step(tool("Edit", { file_path: inCwd(context, "note.txt"), old_string: "two", new_string: "TWO" })),
      step(text("The note is edited.")),
    ],
  },
  {
    name: "ask-question",
    steps: (context) => [
      step(tool("AskUserQuestion", { questions: [QUESTION] })),
      step(text(`You chose: ${context.results.at(-1)?.text ?? "nothing"}`)),
    ],
  },
  {
    name: "plan",
    steps: (context) => [
      step(
        text("Here is a plan."),
        tool("Write", { file_path: context.planFile ?? inCwd(context, "plan.md"), content: "# Plan\n\n1. Write plan-done.txt\n" }),
      ),
      step(tool("ExitPlanMode", {})),
      step(
        context.results.at(-1)?.isError === true
          ? text("I keep planning.")
          : tool("Write", { file_path: inCwd(context, "plan-done.txt"), content: "done\n" }),
      ),
      step(text("The plan is carried out.")),
    ],
  },
  {
    name: "long-stream",
    steps: ({ argument }) => {
      const count = argument === 0 ? 100 : argument;
      return [step(text(Array.from({ length: count }, (_, index) => `w${String(index).padStart(5, "0")} `).join(""), count))];
    },
  },
  {
    name: "many-files",
    steps: (context) => {
      const count = context.argument === 0 ? 20 : context.argument;
      return [
        step(bash(`mkdir -p many && for i in $(seq 1 ${count}); do echo "file $i" > many/$i.txt; done`, `Write ${count} files`)),
        step(text(`Wrote ${count} files.`)),
      ];
    },
  },
  {
    name: "sleep",
    steps: ({ argument }) => [
      step(text("I'll wait."), bash(`sleep ${argument === 0 ? 30 : argument} && touch slept.txt`, "Wait")),
      step(text("I waited.")),
    ],
  },
  {
    name: "bash",
    steps: (context) => [
      step(bash(`echo ran >> ran.txt`, "Note that it ran")),
      step(text(context.results.at(-1)?.isError === true ? "It did not run." : "It ran.")),
    ],
  },
  {
    // The command in the prompt's fence, word for word.
    name: "run",
    steps: ({ prompt }) => [step(bash(/```sh\n([\s\S]*?)\n```/.exec(prompt)?.[1] ?? "false", "Run the given command")), step(text("DONE"))],
  },
  {
    name: "direct-look",
    steps: (context) => [step(tool("read_file", { path: "note.txt" })), step(text(`The note says:${context.results.at(-1)?.text ?? ""}`))],
  },
  {
    name: "memory",
    steps: ({ earlierPrompts }) => [
      step(text(`I remember ${earlierPrompts.length} earlier prompts. The last was: ${earlierPrompts.at(-1) ?? "none"}`)),
    ],
  },
  {
    name: "env",
    steps: (context) => [step(bash("env > env.txt", "Write the environment to a file")), step(text(context.results.at(-1)?.text ?? ""))],
  },
  {
    name: "sub-agent",
    steps: () => [
      step(tool("Agent", { description: "Look around", prompt: "SCENARIO=text-only look around", subagent_type: "general-purpose" })),
      step(text("The sub-agent is done.")),
    ],
  },
  {
    name: "error",
    steps: ({ argument }) => [
      {
        blocks: [],
        fault: {
          kind: "http",
          status: argument === 0 ? 402 : argument,
          body: { type: "error", error: { type: "api_error", message: "scripted failure" } },
          headers: { "x-should-retry": "false" },
        },
      },
    ],
  },
];
