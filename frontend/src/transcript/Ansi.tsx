/** Text with a terminal's colours, in the theme's own colours, so that contrast holds in light and dark. */
import Anser, { type AnserJsonEntry } from "anser";
import { useMemo, type CSSProperties } from "react";

const ESCAPE = "\u001B";
/** Titles and links: meant for a terminal, nothing to see. */
const TITLES = new RegExp(`${ESCAPE}\\][^\\u0007]*(?:\\u0007|${ESCAPE}\\\\)`, "g");

export default function Ansi({ text }: { text: string }) {
  const parts = useMemo(() => Anser.ansiToJson(text.replaceAll(TITLES, ""), { use_classes: true, remove_empty: true }), [text]);
  return (
    <code>
      {parts.map((part, index) => (
        // A part's place is its identity: the text is drawn as a whole.
        // oxlint-disable-next-line react/no-array-index-key
        <span key={index} style={styleOf(part)}>
          {part.content}
        </span>
      ))}
    </code>
  );
}

const COLOURS: Record<string, string> = {
  red: "var(--bad)",
  green: "var(--ok)",
  yellow: "var(--warn)",
  blue: "var(--accent)",
  magenta: "var(--accent)",
  cyan: "var(--accent)",
  black: "var(--fg-3)",
};

function styleOf(part: AnserJsonEntry): CSSProperties {
  const colour = COLOURS[part.fg?.replace(/^ansi-(?:bright-)?/, "") ?? ""];
  return {
    ...(colour === undefined ? {} : { color: colour }),
    ...(part.decorations.includes("bold") ? { fontWeight: 600 } : {}),
    ...(part.decorations.includes("underline") ? { textDecoration: "underline" } : {}),
  };
}
