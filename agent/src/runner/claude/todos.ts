/** The agent's own task list, from whichever of its two sets of tools it uses. Pure. */
import * as z from "zod";
import type { RunnerEvent } from "@ai-dev-platform/protocol/events";

type Items = Extract<RunnerEvent, { type: "todos_updated" }>["items"];
type Item = Items[number];

const status = z.enum(["pending", "in_progress", "completed"]);
const todoWriteSchema = z.object({ todos: z.array(z.object({ content: z.string(), status })) });
const createdSchema = z.object({ task: z.object({ id: z.string(), subject: z.string() }) });
const updateSchema = z.object({
  taskId: z.string(),
  subject: z.string().optional(),
  status: z.enum([...status.options, "deleted"]).optional(),
});
const listedSchema = z.object({ tasks: z.array(z.object({ id: z.string(), subject: z.string(), status })) });

/** Tasks by id, in the order of creation. */
export type Tasks = Readonly<Record<string, Item>>;

export interface TodoChange {
  tasks: Tasks;
  items: Items;
}

/** What a finished tool call changed; null when it has nothing to do with the list. */
export function todosAfter(tasks: Tasks, call: { tool: string; input: unknown; result: unknown }): TodoChange | null {
  switch (call.tool) {
    case "TodoWrite": {
      const parsed = todoWriteSchema.safeParse(call.input);
      if (!parsed.success) return null;
      return { tasks: {}, items: parsed.data.todos.map((todo) => ({ text: todo.content, status: todo.status })) };
    }
    case "TaskCreate": {
      const parsed = createdSchema.safeParse(call.result);
      if (!parsed.success) return null;
      return withItems({ ...tasks, [parsed.data.task.id]: { text: parsed.data.task.subject, status: "pending" } });
    }
    case "TaskUpdate":
      return updated(tasks, call.input);
    case "TaskList": {
      const parsed = listedSchema.safeParse(call.result);
      if (!parsed.success) return null;
      return withItems(Object.fromEntries(parsed.data.tasks.map((task) => [task.id, { text: task.subject, status: task.status }])));
    }
    default:
      return null;
  }
}

const withItems = (tasks: Tasks): TodoChange => ({ tasks, items: Object.values(tasks) });

function updated(tasks: Tasks, input: unknown): TodoChange | null {
  const parsed = updateSchema.safeParse(input);
  if (!parsed.success) return null;
  const { taskId, subject, status: next } = parsed.data;
  const before = tasks[taskId];
  if (before === undefined) return null;
  if (next === "deleted") return withItems(Object.fromEntries(Object.entries(tasks).filter(([id]) => id !== taskId)));
  return withItems({ ...tasks, [taskId]: { text: subject ?? before.text, status: next ?? before.status } });
}
