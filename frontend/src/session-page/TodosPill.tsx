import type { SessionState } from "@ai-dev-platform/protocol/state";
import { CircleCheck, CircleDashed, CircleDot, ListChecks } from "lucide-react";
import { Popover } from "../ui/popover.tsx";
import { t } from "./messages.ts";

const ICONS = { completed: CircleCheck, in_progress: CircleDot, pending: CircleDashed } as const;
const LOOKS = { completed: "text-ok", in_progress: "text-accent", pending: "text-fg-3" } as const;

/** Claude's own list of tasks. */
export function TodosPill({ todos }: { todos: SessionState["todos"] }) {
  if (todos.length === 0) return null;
  const done = todos.filter((todo) => todo.status === "completed").length;
  return (
    <Popover
      label={t.todos.title}
      trigger={
        <button
          type="button"
          aria-label={t.todos.label(done, todos.length)}
          className="tabular inline-flex h-7 flex-none items-center gap-1 rounded-control px-1.5 text-label text-fg-2 hover:bg-hover hover:text-fg pointer-coarse:h-11"
        >
          <ListChecks aria-hidden className="icon" />
          {done}/{todos.length}
        </button>
      }
    >
      <ol className="max-h-[60dvh] w-72 space-y-1.5 overflow-y-auto text-ui">
        {todos.map((todo, index) => {
          const Icon = ICONS[todo.status];
          return (
            <li key={`${index}:${todo.text}`} className="flex gap-2">
              <Icon aria-hidden className={`icon mt-0.5 ${LOOKS[todo.status]}`} />
              <span className={todo.status === "completed" ? "text-fg-2" : undefined}>
                {todo.text}
                <span className="sr-only">, {t.todos.state[todo.status]}</span>
              </span>
            </li>
          );
        })}
      </ol>
    </Popover>
  );
}
