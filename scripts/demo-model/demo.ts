/**
 * The demo conversation: a short coding session that fits any project, told by a script instead of a model.
 * It says so in its first words. It lists files, reads the README, writes and edits DEMO.md and asks before it does.
 */
import { step, text, tool, type Block, type Context, type Scenario, type Step } from "./scenario.ts";

type TodoStatus = "pending" | "in_progress" | "completed";

const TODOS = ["Look at the project", "Write DEMO.md", "Check the result"];
const DEMO_FILE = "DEMO.md";
const EXCERPT_CHARS = 80;

export const DEMO: Scenario = { name: "demo", steps: (context) => chooseScript(withoutTodoResults(context)) };

/** The todo list is kept on the side: its results are no part of a script's story. */
const withoutTodoResults = (context: Context): Context => ({
  ...context,
  results: context.results.filter((result) => result.tool !== "TodoWrite"),
});

function chooseScript(context: Context): Step[] {
  if (!context.toolNames.has("Bash")) return [step(text(withoutTools(context)))];
  if (context.planFile !== null || exitedPlan(context)) return planScript(context);
  if (/\bask me\b|\bquestion\b/i.test(context.prompt)) return questionScript(context);
  if (context.earlierPrompts.length === 0) return firstScript(context);
  return context.earlierPrompts.length === 1 ? secondScript(context) : laterScript(context);
}

const withoutTools = (context: Context): string =>
  `I am the scripted demo model: my answers are written in advance and no AI is behind them. You wrote: “${excerpt(context.prompt)}”. ` +
  "Add an Anthropic API key in Settings to talk to Claude.";

function firstScript(context: Context): Step[] {
  const [listed, read] = context.results;
  const readme = /\breadme(\.\w+)?\b/i.exec(listed?.text ?? "")?.[0];
  const writeResult = context.results[readme === undefined ? 1 : 2];
  const rest = (): Step[] => (writeResult?.isError === true ? [step(text(REFUSED))] : afterWrite(context, readme === undefined ? 2 : 3));
  return [
    step(
      { type: "thinking", thinking: "This is a scripted demo. First, a look at the project." },
      text(
        "Hello! I am the **scripted demo model**: my words are written in advance, no AI is behind them and nothing is spent. " +
          "The tools are real, though: what I run and write happens in your project. Let me look around.",
      ),
      ...todos(context, 0),
      tool("Bash", { command: "ls -a", description: "List the project's files" }),
    ),
    ...(readme === undefined
      ? []
      : [step(text(`There is a \`${readme}\`. I'll read it.`), tool("Read", { file_path: `${context.cwd}/${readme}`, limit: 40 }))]),
    step(
      text(
        `${introduceWrite(readme, read?.isError === true)} I'll write \`${DEMO_FILE}\` next. Depending on the mode you'll be asked first.`,
      ),
      ...todos(context, 1),
      tool("Write", { file_path: `${context.cwd}/${DEMO_FILE}`, content: demoFile(context) }),
    ),
    ...rest(),
  ];
}

const REFUSED = "You said no, so I leave your files as they are. That is how permissions work here: nothing changes without your consent.";

const introduceWrite = (readme: string | undefined, failed: boolean): string =>
  readme === undefined ? "There is no README here." : failed ? "The README could not be read." : "That tells me what the project is about.";

function afterWrite(context: Context, from: number): Step[] {
  const [, checked] = context.results.slice(from);
  return [
    step(
      text("Written. One line can be better, so I edit it."),
      tool("Edit", { file_path: `${context.cwd}/${DEMO_FILE}`, old_string: "- [ ] edited", new_string: "- [x] edited by the demo" }),
    ),
    step(
      text("Now a command that changes something: it stamps the file with the date."),
      ...todos(context, 2),
      tool("Bash", { command: `date >> ${DEMO_FILE} && tail -n 3 ${DEMO_FILE}`, description: "Stamp DEMO.md with the date" }),
    ),
    step(text(summary(checked?.isError === true)), ...todos(context, 3)),
    step(text("All three steps are done. Look at **Changes** for the diff, or send another prompt.")),
  ];
}

const summary = (refused: boolean): string =>
  [
    refused ? "You declined the command; the file stays as it was." : "Done.",
    "",
    "Here is what happened:",
    "",
    `1. I listed your files and wrote \`${DEMO_FILE}\`.`,
    "2. I edited one line of it.",
    refused ? "3. The last command was declined." : "3. I stamped it with the date.",
    "",
    "Send a second prompt later, even after this session went to sleep: I'll read the file back.",
  ].join("\n");

const demoFile = (context: Context): string =>
  [
    "# Demo",
    "",
    "Written by the scripted demo model.",
    "",
    `> ${excerpt(context.prompt)}`,
    "",
    "- [x] written",
    "- [ ] edited",
    "",
    "```ts",
    'export const greeting = "Hello from the demo";',
    "```",
    "",
  ].join("\n");

function secondScript(context: Context): Step[] {
  const result = context.results[0];
  const survived = result !== undefined && !result.isError;
  return [
    step(
      text(
        `Welcome back. I remember your first prompt: “${excerpt(context.earlierPrompts[0] ?? "")}”. Let me see whether \`${DEMO_FILE}\` is still there.`,
      ),
      tool("Read", { file_path: `${context.cwd}/${DEMO_FILE}` }),
    ),
    step(
      text(
        survived
          ? `It is. The file and this conversation came back together:\n\n\`\`\`\n${fileHead(result.text)}\n\`\`\``
          : `\`${DEMO_FILE}\` is not there (you may have declined it, or removed it). The conversation survived, as you see.`,
      ),
    ),
  ];
}

/** The first lines of a file as Read shows it, without its line numbers. */
const fileHead = (shown: string): string =>
  shown
    .split("\n")
    .slice(0, 8)
    .map((line) => line.replace(/^\s*\d+\t/, ""))
    .join("\n");

function laterScript(context: Context): Step[] {
  const failed = context.results[0]?.isError === true;
  return [
    step(
      text(`This is prompt number ${context.earlierPrompts.length + 1}. The script is almost over; I'll check the state of the project.`),
      tool("Bash", { command: "git status --short 2>/dev/null || ls -la", description: "Show what changed" }),
    ),
    step(
      text(
        `${failed ? "That command did not run." : "That is where the project stands."} For real work, add an Anthropic API key in Settings.`,
      ),
    ),
  ];
}

const DEMO_QUESTION = {
  question: "What should the demo show next?",
  header: "Next step",
  multiSelect: false,
  options: [
    { label: "Files", description: "Write and edit a file" },
    { label: "Commands", description: "Run a command in the project" },
  ],
};

function questionScript(context: Context): Step[] {
  const result = context.results[0];
  return [
    step(text("I have a question for you."), tool("AskUserQuestion", { questions: [DEMO_QUESTION] })),
    step(
      text(
        result?.isError === false
          ? `Thank you. You chose: ${/="([^"]*)"/.exec(result.text)?.[1] ?? result.text}.`
          : "No answer is fine too.",
      ),
    ),
  ];
}

const exitedPlan = (context: Context): boolean =>
  /plan/i.test(context.results[1]?.text ?? "") && /approved/i.test(context.results[1]?.text ?? "");

function planScript(context: Context): Step[] {
  const kept = context.results[1]?.isError === true;
  return [
    step(
      text("We are in plan mode, so I only plan. My plan is short."),
      tool("Write", {
        file_path: context.planFile ?? `${context.cwd}/plan.md`,
        content: `# Plan\n\n1. Write \`${DEMO_FILE}\` with a short greeting\n2. Show what changed\n`,
      }),
    ),
    step(tool("ExitPlanMode", {})),
    kept
      ? step(text("I keep planning. Tell me what to change."))
      : step(text("The plan is approved."), tool("Write", { file_path: `${context.cwd}/${DEMO_FILE}`, content: demoFile(context) })),
    step(text(`\`${DEMO_FILE}\` is written, as planned.`)),
  ];
}

/** A todo list, where the client has the tool for it: items before `done` are completed. */
function todos(context: Context, done: number): Block[] {
  if (!context.toolNames.has("TodoWrite")) return [];
  const status = (index: number): TodoStatus => (index < done ? "completed" : index === done ? "in_progress" : "pending");
  return [tool("TodoWrite", { todos: TODOS.map((content, index) => ({ content, activeForm: content, status: status(index) })) })];
}

function excerpt(prompt: string): string {
  const line = prompt.replaceAll(/\s+/g, " ").trim();
  return line.length <= EXCERPT_CHARS ? line : `${line.slice(0, EXCERPT_CHARS - 1)}…`;
}
