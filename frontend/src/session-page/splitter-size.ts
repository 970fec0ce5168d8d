/** How wide the workbench is. Pure: a share of the space, held to what both sides need. */

export const WORKBENCH_MIN_PX = 380;
export const TRANSCRIPT_MIN_PX = 420;
export const DEFAULT_SHARE = 0.42;
export const KEY_STEP_PX = 16;

/** The width for a wish, in pixels. Where both minima do not fit, they shrink alike. */
export function workbenchWidth(wishPx: number, spacePx: number): number {
  const scale = Math.min(1, spacePx / (WORKBENCH_MIN_PX + TRANSCRIPT_MIN_PX));
  const least = WORKBENCH_MIN_PX * scale;
  const most = Math.max(least, spacePx - TRANSCRIPT_MIN_PX * scale);
  return Math.round(Math.min(most, Math.max(least, wishPx)));
}

export interface SplitterRange {
  min: number;
  max: number;
  now: number;
}

export const splitterRange = (widthPx: number, spacePx: number): SplitterRange => ({
  min: workbenchWidth(0, spacePx),
  max: workbenchWidth(Number.POSITIVE_INFINITY, spacePx),
  now: widthPx,
});

/** The width after a key press on the separator; null when the key is not for it. */
export function widthAfterKey(key: string, widthPx: number, spacePx: number): number | null {
  switch (key) {
    case "ArrowLeft":
      return workbenchWidth(widthPx + KEY_STEP_PX, spacePx);
    case "ArrowRight":
      return workbenchWidth(widthPx - KEY_STEP_PX, spacePx);
    case "Home":
      return workbenchWidth(Number.POSITIVE_INFINITY, spacePx);
    case "End":
      return workbenchWidth(0, spacePx);
    default:
      return null;
  }
}
