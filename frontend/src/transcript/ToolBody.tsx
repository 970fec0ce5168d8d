/** What an opened step shows: a patch, tasks, the steps of a sub-agent, a command's output. */
import type { ReactNode } from "react";
import { useRow } from "../session/use-session.ts";
import { Diff } from "./Diff.tsx";
import { Markdown } from "./Markdown.tsx";
import { Output } from "./Output.tsx";
import { RowContent } from "./RowContent.tsx";
import type { ToolRow } from "./rows.ts";
import { tasksOf, type ToolView } from "./tool-view.ts";

export default function ToolBody({ row, view }: { row: ToolRow; view: ToolView }): ReactNode {
  const { result } = row;
  const command = typeof row.input["command"] === "string" && row.input["command"].includes("\n") ? row.input["command"] : undefined;
  switch (view.body) {
    case "diff":
      return <Diff patch={result?.patch ?? ""} path={view.path ?? undefined} />;
    case "tasks":
      return <Tasks row={row} />;
    case "children":
      return (
        <>
          <Children ids={row.childIds} />
          {result !== null && result.output.trim() !== "" && (
            <div className="px-3 py-2">
              <Markdown text={result.output} />
            </div>
          )}
        </>
      );
    case "input":
      return (
        <>
          <pre className="output-command">{JSON.stringify(row.input, null, 2)}</pre>
          {result !== null && <Output text={result.output} omittedChars={result.omittedChars} />}
        </>
      );
    default:
      return (
        <>
          {row.childIds.length > 0 && <Children ids={row.childIds} />}
          {result === null ? (
            <pre className="output-command">{command ?? view.argument}</pre>
          ) : (
            <Output text={result.output} omittedChars={result.omittedChars} command={command} />
          )}
        </>
      );
  }
}

const Children = ({ ids }: { ids: readonly string[] }) => (
  <div className="tool-children">
    {ids.map((id) => (
      <Child key={id} id={id} />
    ))}
  </div>
);

function Child({ id }: { id: string }) {
  const row = useRow(id);
  return row === undefined ? null : <RowContent row={row} />;
}

function Tasks({ row }: { row: ToolRow }) {
  return (
    <ul className="tasks">
      {tasksOf(row).map((task, index) => (
        // oxlint-disable-next-line react/no-array-index-key -- a task has no name of its own; the list is drawn as a whole
        <li key={index} data-status={task.status}>
          {task.text}
        </li>
      ))}
    </ul>
  );
}
