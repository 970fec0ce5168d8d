/**
 * What the virtualiser asks about the list, as functions that stay the same for the list's whole life: functions that change
 * with each drawing make it forget its measurements, and then the reader is moved when a row above grows.
 */
import { defaultRangeExtractor, type Range } from "@tanstack/react-virtual";
import type { SessionStore } from "../session/store.ts";
import { estimateHeightPx } from "./row-height.ts";

export interface ListSource {
  keyOf(index: number): string;
  heightOf(index: number): number;
  rangeOf(range: Range): number[];
  /** A row that stays mounted wherever the viewport is: the one with the focus or the selection. */
  keep(rowId: string | null): void;
}

export function createListSource(store: SessionStore): ListSource {
  let keptId: string | null = null;
  const idAt = (index: number) => store.view.get().ids[index] ?? `gone:${index}`;
  return {
    keyOf: idAt,
    heightOf: (index) => {
      const row = store.row(idAt(index));
      return row === undefined ? 40 : estimateHeightPx(row);
    },
    rangeOf: (range) => {
      const indexes = defaultRangeExtractor(range);
      const kept = keptId === null ? -1 : store.view.get().ids.indexOf(keptId);
      if (kept === -1 || kept >= range.count || indexes.includes(kept)) return indexes;
      return [...indexes, kept].sort((a, b) => a - b);
    },
    keep: (rowId) => {
      keptId = rowId;
    },
  };
}
