/** Output of a command: its last lines first, the rest on request, colours of the terminal as colours of ours. */
import { lazy, memo, Suspense, useMemo, useState } from "react";
import { CopyButton } from "./CodeBlock.tsx";
import { t } from "./messages.ts";
import { ScrollRegion } from "./ScrollRegion.tsx";

const LAST_LINES = 12;

export const Output = memo(function Output({
  text,
  omittedChars,
  command,
}: {
  text: string;
  omittedChars: number;
  command?: string | undefined;
}) {
  const [showsAll, setShowsAll] = useState(false);
  const lines = useMemo(() => text.replace(/\n+$/, "").split("\n"), [text]);
  const hidden = Math.max(0, lines.length - LAST_LINES);
  const shown = showsAll ? lines : lines.slice(-LAST_LINES);
  const isEmpty = text.trim() === "";
  return (
    <div className="output">
      {command !== undefined && <pre className="output-command">{command}</pre>}
      {hidden > 0 && (
        <button type="button" className="output-more" onClick={() => setShowsAll(!showsAll)} aria-expanded={showsAll}>
          {showsAll ? t.showFewer : t.showAllLines(lines.length)}
        </button>
      )}
      {isEmpty ? (
        <p className="px-3 py-2 text-label text-fg-3">{t.tool.noOutput}</p>
      ) : (
        <ScrollRegion label={t.tool.output} className="output-scroll">
          <pre className="output-text">
            <Lines text={shown.join("\n")} />
          </pre>
        </ScrollRegion>
      )}
      {omittedChars > 0 && <p className="px-3 pb-2 text-label text-fg-3">{t.omitted(omittedChars)}</p>}
      {!isEmpty && (
        <div className="output-copy">
          <CopyButton text={text} />
        </div>
      )}
    </div>
  );
});

const ESCAPE = "\u001B";
const Ansi = lazy(() => import("./Ansi.tsx"));
const ANY_SEQUENCE = new RegExp(`${ESCAPE}(?:\\[[0-9;?]*[A-Za-z]|\\][^\\u0007]*(?:\\u0007|${ESCAPE}\\\\))`, "g");

/** Colours come with the first output that has any; until then its plain text stands, at the same height. */
function Lines({ text }: { text: string }) {
  if (!text.includes(ESCAPE)) return <code>{text}</code>;
  return (
    <Suspense fallback={<code>{text.replaceAll(ANY_SEQUENCE, "")}</code>}>
      <Ansi text={text} />
    </Suspense>
  );
}
