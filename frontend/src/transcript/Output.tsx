/** Output of a command: its last lines first, the rest on request, colours of the terminal as colours of ours. */
import Anser, { type AnserJsonEntry } from "anser";
import { memo, useMemo, useState, type CSSProperties } from "react";
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
            <Ansi text={shown.join("\n")} />
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
const OTHER_CONTROLS = new RegExp(`${ESCAPE}\\][^\\u0007]*(?:\\u0007|${ESCAPE}\\\\)`, "g");

function Ansi({ text }: { text: string }) {
  const parts = useMemo(
    () => (text.includes(ESCAPE) ? Anser.ansiToJson(text.replaceAll(OTHER_CONTROLS, ""), { use_classes: true, remove_empty: true }) : null),
    [text],
  );
  if (parts === null) return <code>{text}</code>;
  return (
    <code>
      {parts.map((part, index) => (
        // A part's place is its identity: the text is drawn as a whole.
        // oxlint-disable-next-line react/no-array-index-key
        <span key={index} style={ansiStyle(part)}>
          {part.content}
        </span>
      ))}
    </code>
  );
}

/** Red, green, yellow and the rest in the theme's own colours, so that contrast holds in both themes. */
const COLOURS: Record<string, string> = {
  red: "var(--bad)",
  green: "var(--ok)",
  yellow: "var(--warn)",
  blue: "var(--accent)",
  magenta: "var(--accent)",
  cyan: "var(--accent)",
  black: "var(--fg-3)",
};

function ansiStyle(part: AnserJsonEntry): CSSProperties {
  const colour = COLOURS[part.fg?.replace(/^ansi-(?:bright-)?/, "") ?? ""];
  return {
    ...(colour === undefined ? {} : { color: colour }),
    ...(part.decorations.includes("bold") ? { fontWeight: 600 } : {}),
    ...(part.decorations.includes("underline") ? { textDecoration: "underline" } : {}),
  };
}
