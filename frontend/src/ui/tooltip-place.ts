/** Where a tooltip stands: under its control, above it where there is no room, never outside the screen. Pure. */
const GAP_PX = 6;
const EDGE_PX = 8;

interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}
interface Size {
  width: number;
  height: number;
}

export function placeTooltip(anchor: Box, bubble: Size, screen: Size): { left: number; top: number } {
  const centred = anchor.left + anchor.width / 2 - bubble.width / 2;
  const left = Math.max(EDGE_PX, Math.min(centred, screen.width - bubble.width - EDGE_PX));
  const below = anchor.top + anchor.height + GAP_PX;
  const fits = below + bubble.height + EDGE_PX <= screen.height;
  return { left: Math.round(left), top: Math.round(fits ? below : Math.max(EDGE_PX, anchor.top - bubble.height - GAP_PX)) };
}
