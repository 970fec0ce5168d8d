/** A first guess at a row's height, before it is measured. Near enough keeps the scrollbar calm. Pure. */
import type { Row } from "./rows.ts";

const LINE_PX = 22;
const CHARS_PER_LINE = 88;

const linesOf = (text: string): number =>
  text.split("\n").reduce((lines, line) => lines + Math.max(1, Math.ceil(line.length / CHARS_PER_LINE)), 0);

export function estimateHeightPx(row: Row): number {
  switch (row.kind) {
    case "prompt":
      return 44 + Math.min(linesOf(row.text ?? ""), 14) * LINE_PX;
    case "text":
      return 12 + linesOf(row.text.slice(0, 8_000)) * LINE_PX;
    case "tool":
      return 40;
    default:
      return 36;
  }
}
