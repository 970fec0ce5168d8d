/**
 * One file's text. The numbers are a block of their own beside the text, so that a file of 10,000 lines is two text nodes
 * and copying gives clean text. Wrapped lines need a row each, which is offered up to a size.
 */
import { ArrowLeft, Copy, Link, RefreshCw, WrapText } from "lucide-react";
import { useLayoutEffect, useMemo, useRef, useState } from "react";
import { ScrollBox } from "../session-page/ScrollBox.tsx";
import { IconButton } from "../ui/button.tsx";
import { formatBytes, formatCount } from "../ui/format.ts";
import { toast } from "../ui/toast.ts";
import { t } from "./messages.ts";
import { AsleepStrip, AsOfStrip, PanelFailure, PanelNote, PathLabel, Skeleton } from "./PanelStates.tsx";
import { FileDownload } from "./FileDownload.tsx";
import { useWorkspace, useWorkspaceQuery } from "./use-workspace.ts";

const LINE_HEIGHT_PX = 20;
const MAX_WRAPPED_LINES = 3_000;

function copy(text: string): void {
  void navigator.clipboard.writeText(text).then(() => toast(t.files.copied));
}

/** Lines without the empty one that a final line break leaves. */
function linesOf(text: string): string[] {
  const lines = text.split("\n");
  if (lines.length > 1 && lines.at(-1) === "") lines.pop();
  return lines;
}

function PlainText({ text, count, line }: { text: string; count: number; line: number | null }) {
  const numbers = useMemo(() => Array.from({ length: count }, (_, index) => index + 1).join("\n"), [count]);
  const marked = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    if (line !== null) marked.current?.scrollIntoView({ block: "center" });
  }, [line]);
  return (
    <div className="relative flex min-w-max font-mono text-mono">
      {line !== null && line <= count && (
        <div
          ref={marked}
          aria-hidden
          className="absolute inset-x-0 bg-accent-soft"
          style={{ top: 8 + (line - 1) * LINE_HEIGHT_PX, height: LINE_HEIGHT_PX }}
        />
      )}
      <pre aria-hidden className="tabular sticky left-0 bg-surface py-2 pr-3 pl-3 text-right text-fg-3 select-none">
        {numbers}
      </pre>
      <pre className="relative py-2 pr-4">{text}</pre>
    </div>
  );
}

function WrappedText({ lines, line }: { lines: readonly string[]; line: number | null }) {
  const marked = useRef<HTMLLIElement>(null);
  useLayoutEffect(() => {
    if (line !== null) marked.current?.scrollIntoView({ block: "center" });
  }, [line]);
  return (
    <ol className="py-2 font-mono text-mono">
      {lines.map((text, index) => (
        <li key={index} ref={index + 1 === line ? marked : null} className={index + 1 === line ? "flex bg-accent-soft" : "flex"}>
          <span aria-hidden className="tabular w-12 flex-none pr-3 text-right text-fg-3 select-none">
            {index + 1}
          </span>
          <span className="min-w-0 flex-1 pr-3 break-words whitespace-pre-wrap">{text}</span>
        </li>
      ))}
    </ol>
  );
}

export interface FileViewProps {
  sessionId: string;
  path: string;
  line: number | null;
  onBack: () => void;
}

export function FileView({ sessionId, path, line, onBack }: FileViewProps) {
  const { isAwake, canRead, saved } = useWorkspace();
  const query = useWorkspaceQuery(sessionId, { kind: "file", path });
  const data = query.data?.path === path ? query.data : undefined;
  const text = data?.text ?? null;
  const lines = useMemo(() => (text === null ? [] : linesOf(text)), [text]);
  const mayWrap = lines.length <= MAX_WRAPPED_LINES;
  const [wraps, setWraps] = useState(() => matchMedia("(max-width: 767px)").matches);
  const isWrapped = wraps && mayWrap;
  return (
    <section aria-label={path} className="flex h-full min-h-0 flex-col">
      <header className="flex h-10 flex-none items-center gap-1 border-b border-line pr-2 pl-1.5 pointer-coarse:h-12">
        <IconButton size="sm" label={t.files.back} onClick={onBack}>
          <ArrowLeft />
        </IconButton>
        <div className="min-w-0 flex-1">
          <PathLabel path={path} />
        </div>
        {data !== undefined && (
          <span className="tabular flex-none px-1 text-label text-fg-3 max-md:hidden">
            {text === null ? formatBytes(data.bytes) : t.files.lines(formatCount(lines.length))}
          </span>
        )}
        {text !== null && (
          <>
            {mayWrap && (
              <IconButton
                size="sm"
                label={isWrapped ? t.files.noWrap : t.files.wrap}
                aria-pressed={isWrapped}
                onClick={() => setWraps(!isWrapped)}
              >
                <WrapText />
              </IconButton>
            )}
            <IconButton size="sm" label={t.files.copy} onClick={() => copy(text)}>
              <Copy />
            </IconButton>
          </>
        )}
        <FileDownload sessionId={sessionId} path={path} file={data} />
        <IconButton size="sm" label={t.files.copyPath} onClick={() => copy(path)}>
          <Link />
        </IconButton>
        <IconButton size="sm" label={t.refresh} disabled={!canRead || query.isFetching} onClick={() => void query.refetch()}>
          <RefreshCw />
        </IconButton>
      </header>
      {!isAwake && (saved === null ? <AsleepStrip text={t.asleep.files} /> : <AsOfStrip {...(data?.asOf ?? saved)} />)}
      <ScrollBox
        label={t.files.text}
        className="min-h-0 flex-1 overflow-auto overscroll-contain bg-surface focus-visible:outline-offset-[-2px]"
      >
        {data === undefined ? (
          query.isError ? (
            <PanelFailure error={query.error} onRetry={() => void query.refetch()} />
          ) : canRead ? (
            <Skeleton lines={12} />
          ) : null
        ) : text === null ? (
          <PanelNote title={t.files.binary}>{formatBytes(data.bytes)}</PanelNote>
        ) : (
          <>
            {data.truncated && (
              <p className="border-b border-line bg-sunken px-3 py-1.5 text-label text-fg-2">{t.files.tooLarge(formatBytes(data.bytes))}</p>
            )}
            {isWrapped ? <WrappedText lines={lines} line={line} /> : <PlainText text={lines.join("\n")} count={lines.length} line={line} />}
          </>
        )}
      </ScrollBox>
    </section>
  );
}
