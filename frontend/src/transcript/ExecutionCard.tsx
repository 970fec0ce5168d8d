/** Code or a command that a program outside had run: one line that opens to what it printed. It grows while it runs. */
import { Check, ChevronRight, SquareTerminal, X } from "lucide-react";
import { may } from "@ai-dev-platform/protocol/roles";
import { use, useState } from "react";
import { showFailure } from "../session-page/failure.ts";
import { useActions, useDisclosure, useViewer } from "../session/use-session.ts";
import { Button } from "../ui/button.tsx";
import { formatBytes, formatDuration } from "../ui/format.ts";
import { Elapsed } from "../ui/time.tsx";
import { t } from "./execution-messages.ts";
import { Output } from "./Output.tsx";
import { ReadOnlyContext } from "./read-only.ts";
import type { ExecutionRow, OutputTail } from "./rows.ts";

const oneLine = (text: string): string => text.replaceAll(/\s*\n\s*/g, " ⏎ ").trim();

export default function ExecutionCard({ row }: { row: ExecutionRow }) {
  const [isOpen, setOpen] = useDisclosure(row);
  const { what, language } = row;
  return (
    <div className="tool" data-open={isOpen || undefined}>
      <button type="button" className="tool-line" aria-expanded={isOpen} data-toggle="" onClick={() => setOpen(!isOpen)}>
        <ChevronRight className="tool-chevron" aria-hidden="true" />
        <SquareTerminal className="tool-icon" aria-hidden="true" />
        <span className="tool-verb">{language === null ? t.command : t.languages[language]}</span>
        <span className="tool-argument" title={what}>
          {oneLine(what)}
        </span>
        <Facts row={row} />
      </button>
      {isOpen && (
        <div className="tool-body">
          <Body row={row} />
        </div>
      )}
    </div>
  );
}

function Facts({ row: { at, end } }: { row: ExecutionRow }) {
  if (end === null)
    return (
      <span className="tool-facts">
        <Elapsed since={at} />
        <span className="live-dot" aria-hidden="true" />
        <span className="sr-only">{t.running}</span>
      </span>
    );
  const { status, exitCode, signal, durationMs } = end;
  const how = status === "failed" ? (signal ?? (exitCode === null ? t.statuses.failed : t.exit(exitCode))) : t.statuses[status];
  return (
    <span className="tool-facts">
      <span>{formatDuration(durationMs)}</span>
      {status === "completed" ? (
        <>
          <Check className="tool-mark text-ok" aria-hidden="true" />
          <span className="sr-only">{how}</span>
        </>
      ) : status === "stopped" ? (
        <span className="text-warn">{how}</span>
      ) : (
        <>
          <X className="tool-mark text-bad" aria-hidden="true" />
          <span className="text-bad">{how}</span>
        </>
      )}
    </span>
  );
}

function Body({ row }: { row: ExecutionRow }) {
  const { what, author, stdout, stderr, end } = row;
  const isLong = what.includes("\n") || what.length > 60;
  const note = end?.problem?.message ?? (end?.status === "lost" ? t.lost : end?.status === "timed_out" ? t.timedOut : null);
  const facts = [
    ...(author === null ? [] : [t.by(author.name)]),
    ...(end !== null && end.status !== "failed" && end.exitCode !== null ? [t.exit(end.exitCode)] : []),
    ...(end !== null && end.omittedBytes > 0 ? [t.omitted(formatBytes(end.omittedBytes))] : []),
  ];
  return (
    <>
      {(facts.length > 0 || end === null) && (
        <div className="flex min-h-8 items-center gap-2 border-b border-line px-3 py-1">
          <p className="min-w-0 flex-1 text-label text-fg-3">{facts.join(" · ")}</p>
          {end === null && <StopButton executionId={row.executionId} />}
        </div>
      )}
      {isLong && <pre className="output-command">{what}</pre>}
      {note !== null && <p className="px-3 py-2 text-label text-bad">{note}</p>}
      {end === null ? <Live stdout={stdout} stderr={stderr} /> : <Streams stdout={end.stdout} stderr={end.stderr} />}
      {end !== null && end.filesChanged.length > 0 && (
        <div className="border-t border-line px-3 py-2 text-label text-fg-2">
          <p className="text-fg-3">{t.files(end.filesChanged.length)}</p>
          <ul className="font-mono">
            {end.filesChanged.map(({ path, additions, deletions }) => (
              <li key={path} className="flex gap-2">
                <span className="min-w-0 truncate">{path}</span>
                <span className="tabular text-ok">+{additions}</span>
                <span className="tabular text-bad">−{deletions}</span>
              </li>
            ))}
          </ul>
        </div>
      )}
    </>
  );
}

/** Whoever may drive the session may end what a program had started. */
function StopButton({ executionId }: { executionId: string }) {
  const actions = useActions();
  const viewer = useViewer();
  const isReadOnly = use(ReadOnlyContext);
  const [isStopping, setIsStopping] = useState(false);
  if (isReadOnly || viewer === null || !may(viewer.role, "drive")) return null;
  const stop = () => {
    setIsStopping(true);
    actions.stopExecution(executionId).catch((error: unknown) => {
      setIsStopping(false);
      showFailure(error);
    });
  };
  return (
    <Button size="sm" disabled={isStopping} onClick={stop}>
      {isStopping ? t.stopping : t.stop}
    </Button>
  );
}

function Live({ stdout, stderr }: { stdout: OutputTail; stderr: OutputTail }) {
  return (
    <>
      {stdout.from + stderr.from > 0 && <p className="px-3 pt-2 text-label text-fg-3">{t.earlier}</p>}
      {stdout.text + stderr.text !== "" && <Streams stdout={stdout.text} stderr={stderr.text} />}
    </>
  );
}

/** What went to the two outputs; the second is named, since it need not mean a failure. */
function Streams({ stdout, stderr }: { stdout: string; stderr: string }) {
  return (
    <>
      {(stdout !== "" || stderr === "") && <Output text={stdout} omittedChars={0} />}
      {stderr !== "" && (
        <>
          <p className="border-t border-line px-3 pt-2 text-label text-fg-3">{t.stderr}</p>
          <Output text={stderr} omittedChars={0} />
        </>
      )}
    </>
  );
}
