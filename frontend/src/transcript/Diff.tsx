/**
 * A unified patch, line by line. Own renderer: light DOM, copies clean, prints, and reads aloud. What a line means stands in
 * its glyph and in hidden text, never in colour alone. Glyphs and numbers are drawn by CSS content, so that a copied diff is
 * the code itself.
 */
import { memo, useMemo, useState } from "react";
import { parseDiff, type DiffLine } from "./diff-lines.ts";
import { t } from "./messages.ts";
import { ScrollRegion } from "./ScrollRegion.tsx";
import "./diff.css";

/** Beyond this a diff opens in part: one paint stays short. */
const FIRST_LINES = 400;

export interface DiffProps {
  patch: string;
  path?: string | undefined;
  lineNumbers?: boolean;
}

export const Diff = memo(function Diff({ patch, path, lineNumbers = false }: DiffProps) {
  const parsed = useMemo(() => parseDiff(patch), [patch]);
  const [showsAll, setShowsAll] = useState(false);
  if (parsed.kind === "raw")
    return <pre className="overflow-x-auto px-3 py-2 font-mono text-mono whitespace-pre-wrap text-fg-2">{parsed.text}</pre>;
  if (parsed.kind !== "lines")
    return <p className="px-3 py-2 text-ui text-fg-3">{parsed.kind === "binary" ? t.diff.binary : t.diff.empty}</p>;
  const lines = showsAll ? parsed.lines : parsed.lines.slice(0, FIRST_LINES);
  return (
    <div className="diff" data-numbers={lineNumbers || undefined}>
      <ScrollRegion label={t.diff.label(path ?? parsed.path ?? "")}>
        <div className="diff-lines">
          {lines.map((line) => (
            <Line key={line.key} line={line} lineNumbers={lineNumbers} />
          ))}
        </div>
      </ScrollRegion>
      {lines.length < parsed.lines.length && (
        <button
          type="button"
          className="block w-full border-t border-line px-3 py-2 text-left text-label text-fg-2 hover:bg-hover"
          onClick={() => setShowsAll(true)}
        >
          {t.diff.showAll(parsed.lines.length)}
        </button>
      )}
    </div>
  );
});

const WORDS = { add: t.diff.added, del: t.diff.removed, same: null, gap: t.diff.hunk, file: null } as const;

function Line({ line, lineNumbers }: { line: DiffLine; lineNumbers: boolean }) {
  if (line.kind === "gap" || line.kind === "file")
    return (
      <div className="diff-line" data-kind={line.kind}>
        {line.kind === "gap" && <span className="sr-only">{t.diff.hunk}</span>}
        <span className="diff-gap">{line.text}</span>
      </div>
    );
  const word = WORDS[line.kind];
  return (
    <div className="diff-line" data-kind={line.kind}>
      {lineNumbers && <span className="diff-number" aria-hidden="true" data-number={line.newNumber ?? line.oldNumber ?? ""} />}
      <span className="diff-glyph" aria-hidden="true" />
      {word !== null && <span className="sr-only">{word}: </span>}
      <code className="diff-code">{line.text === "" ? "\u200b" : line.text}</code>
    </div>
  );
}
