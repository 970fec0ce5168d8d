/** How a tool call reads on one line: a verb, an argument, and what opening it shows. Pure; inputs are the agent's and untrusted. */
import type { ToolRow } from "./rows.ts";

export type ToolIcon = "terminal" | "file" | "edit" | "search" | "globe" | "agent" | "tasks" | "plug" | "question" | "plan" | "step";
export type ToolBody = "output" | "diff" | "children" | "tasks" | "none" | "input";

export interface ToolView {
  verb: string;
  icon: ToolIcon;
  argument: string;
  /** The argument is a path: its middle may be left out, and it can be opened. */
  path: string | null;
  /** Where in the file; null is its beginning. */
  line: number | null;
  body: ToolBody;
}

export interface Task {
  text: string;
  status: "pending" | "in_progress" | "completed";
}

const field = (row: ToolRow, ...names: string[]): string => {
  for (const name of names) {
    const value = row.input[name];
    if (typeof value === "string" && value !== "") return value;
  }
  return "";
};

/** Paths are shown from the workspace on: what is before it is the host's own. */
export const shortPath = (path: string): string => path.replace(/^.*\/workspace\//, "");

const oneLine = (text: string): string => text.replaceAll(/\s*\n\s*/g, " ⏎ ").trim();

type Describe = (row: ToolRow) => ToolView;

const file =
  (verb: string, icon: ToolIcon, body: ToolBody): Describe =>
  (row) => {
    const path = shortPath(row.result?.path ?? field(row, "file_path", "notebook_path", "path"));
    const { offset } = row.input;
    return {
      verb,
      icon,
      argument: path,
      path: path === "" ? null : path,
      line: typeof offset === "number" && offset > 0 ? offset : null,
      body,
    };
  };
const edit = (verb: string): Describe => file(verb, "edit", "diff");
const plain =
  (verb: string, icon: ToolIcon, body: ToolBody, ...names: string[]): Describe =>
  (row) => ({ verb, icon, argument: oneLine(field(row, ...names)), path: null, line: null, body });
const agent: Describe = plain("Agent", "agent", "children", "description", "prompt");

const TOOLS = new Map<string, Describe>([
  ["Bash", plain("Bash", "terminal", "output", "command")],
  ["BashOutput", plain("Output", "terminal", "output", "bash_id", "shell_id")],
  ["KillShell", plain("Stop command", "terminal", "output", "shell_id")],
  ["Read", file("Read", "file", "none")],
  ["Edit", edit("Edit")],
  ["MultiEdit", edit("Edit")],
  ["Write", edit("Write")],
  ["NotebookEdit", edit("Edit")],
  ["Grep", plain("Search", "search", "output", "pattern")],
  ["Glob", plain("Find", "search", "output", "pattern")],
  ["LS", file("List", "search", "output")],
  ["WebFetch", plain("Fetch", "globe", "output", "url")],
  ["WebSearch", plain("Web search", "globe", "output", "query")],
  ["Task", agent],
  ["Agent", agent],
  ["TodoWrite", (row) => ({ verb: "Tasks", icon: "tasks", argument: taskProgress(tasksOf(row)), path: null, line: null, body: "tasks" })],
  ["AskUserQuestion", plain("Question", "question", "none")],
  ["ExitPlanMode", plain("Plan", "plan", "none")],
  ["Skill", plain("Skill", "step", "output", "skill", "command")],
]);

export function viewTool(row: ToolRow): ToolView {
  const described = TOOLS.get(row.tool)?.(row);
  const view = described ?? otherTool(row);
  // What failed is explained, whatever the tool usually shows.
  if (row.result?.ok === false && view.body !== "children") return { ...view, body: "output" };
  if (view.body === "diff" && row.result !== null && row.result.patch === null) return { ...view, body: "output" };
  return view;
}

function otherTool(row: ToolRow): ToolView {
  const [, server, tool] = /^mcp__(.+?)__(.+)$/.exec(row.tool) ?? [];
  const first = Object.values(row.input).find((value) => typeof value === "string");
  const argument = typeof first === "string" ? oneLine(first) : "";
  if (server !== undefined && tool !== undefined)
    return {
      verb: tool,
      icon: "plug",
      argument: argument === "" ? server : `${server} · ${argument}`,
      path: null,
      line: null,
      body: "input",
    };
  return { verb: row.tool, icon: "step", argument, path: null, line: null, body: "input" };
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

export function tasksOf(row: ToolRow): Task[] {
  const { todos } = row.input;
  if (!Array.isArray(todos)) return [];
  return todos.flatMap((todo: unknown): Task[] => {
    if (!isRecord(todo) || typeof todo["content"] !== "string") return [];
    const status = todo["status"];
    return [{ text: todo["content"], status: status === "completed" || status === "in_progress" ? status : "pending" }];
  });
}

const taskProgress = (tasks: readonly Task[]): string => `${tasks.filter((task) => task.status === "completed").length}/${tasks.length}`;

/** A path as its folder, which may be cut in the middle of the whole, and its name, which stays. */
export function splitPath(path: string): { folder: string; name: string } {
  const cut = Math.max(0, path.lastIndexOf("/"));
  return { folder: path.slice(0, cut), name: path.slice(cut) };
}
