/**
 * Whether the transcript keeps its end in view. A mode set by what a person does, never guessed from how near the end is:
 * only reaching the end, asking for it or sending enters `following`; wheel up, touch, keys, selection and links leave it.
 * `anchored` is reading with a row that was asked for, which marks where the reader is. Pure.
 */
export type Follow = { mode: "following" } | { mode: "reading" } | { mode: "anchored"; rowId: string };

export type FollowInput =
  | { type: "wheel"; deltaY: number }
  | { type: "touch_moved" }
  | { type: "key"; key: string }
  | { type: "selected" }
  | { type: "linked" }
  | { type: "dragged_bar" }
  /** The viewport moved by the reader's own scrolling. */
  | { type: "scrolled"; gapPx: number; movedDown: boolean }
  | { type: "jumped_to"; rowId: string }
  | { type: "asked_latest" }
  | { type: "sent" };

export const FOLLOWING: Follow = { mode: "following" };
/** Nearer than this is the end: fractional pixels, not a guess about intent. */
export const END_GAP_PX = 4;

const LEAVING_KEYS = new Set(["PageUp", "Home", "ArrowUp"]);

export function stepFollow(follow: Follow, input: FollowInput): Follow {
  switch (input.type) {
    case "asked_latest":
    case "sent":
      return FOLLOWING;
    case "jumped_to":
      return { mode: "anchored", rowId: input.rowId };
    case "scrolled":
      return input.movedDown && input.gapPx <= END_GAP_PX ? FOLLOWING : follow;
    case "wheel":
      return input.deltaY < 0 ? leave(follow) : follow;
    case "key":
      return LEAVING_KEYS.has(input.key) ? leave(follow) : follow;
    case "touch_moved":
    case "selected":
    case "linked":
    case "dragged_bar":
      return leave(follow);
  }
}

const leave = (follow: Follow): Follow => (follow.mode === "following" ? { mode: "reading" } : follow);
