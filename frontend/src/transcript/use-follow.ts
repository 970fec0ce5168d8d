/** Follow mode on a real scroller: listens for intent, keeps the end in view while following, and says which mode it is. */
import type { ReactVirtualizer } from "@tanstack/react-virtual";
import { useCallback, useEffect, useLayoutEffect, useReducer, useRef } from "react";
import { FOLLOWING, stepFollow, type Follow, type FollowInput } from "./follow.ts";

export type ListVirtualizer = ReactVirtualizer<HTMLDivElement, HTMLElement>;

export interface FollowControl {
  follow: Follow;
  dispatch: (input: FollowInput) => void;
}

export const useFollowState = (): FollowControl => {
  const [follow, dispatch] = useReducer(stepFollow, FOLLOWING);
  return { follow, dispatch };
};

const gapOf = (scroller: HTMLElement) => scroller.scrollHeight - scroller.clientHeight - scroller.scrollTop;

/** Tells the mode what the reader does with wheel, finger, keys, scrollbar and selection. */
export function useReaderIntent(scroller: HTMLDivElement | null, dispatch: FollowControl["dispatch"]): void {
  useEffect(() => {
    if (scroller === null) return;
    let lastTop = scroller.scrollTop;
    let isOnBar = false;
    const hearing = new AbortController();
    const passive = { passive: true, signal: hearing.signal };
    const canScroll = () => scroller.scrollHeight > scroller.clientHeight;
    scroller.addEventListener(
      "wheel",
      (event) => canScroll() && !event.ctrlKey && dispatch({ type: "wheel", deltaY: event.deltaY }),
      passive,
    );
    scroller.addEventListener("touchmove", () => canScroll() && dispatch({ type: "touch_moved" }), passive);
    scroller.addEventListener("keydown", (event) => canScroll() && dispatch({ type: "key", key: event.key }), passive);
    scroller.addEventListener("pointerdown", (event) => (isOnBar = event.target === scroller), passive);
    window.addEventListener("pointerup", () => (isOnBar = false), passive);
    scroller.addEventListener(
      "scroll",
      () => {
        const movedDown = scroller.scrollTop > lastTop;
        const movedUp = scroller.scrollTop < lastTop;
        lastTop = scroller.scrollTop;
        if (isOnBar && movedUp) dispatch({ type: "dragged_bar" });
        else dispatch({ type: "scrolled", gapPx: gapOf(scroller), movedDown });
      },
      passive,
    );
    const selected = () => {
      const selection = document.getSelection();
      if (selection !== null && !selection.isCollapsed && scroller.contains(selection.anchorNode)) dispatch({ type: "selected" });
    };
    document.addEventListener("selectionchange", selected, passive);
    return () => hearing.abort();
  }, [scroller, dispatch]);
}

/** While following, the end stays in view: when rows come, when one grows, and when the viewport shrinks under a dock. */
export function useKeepEnd(
  scroller: HTMLDivElement | null,
  virtualizer: ListVirtualizer,
  isFollowing: boolean,
  ids: readonly string[],
): void {
  const isOn = useRef(isFollowing);
  const toEnd = useCallback(() => {
    if (isOn.current) virtualizer.scrollToEnd();
  }, [virtualizer]);
  useLayoutEffect(() => {
    isOn.current = isFollowing;
    if (ids.length > 0) toEnd();
  }, [isFollowing, ids, toEnd]);
  useEffect(() => {
    if (scroller === null) return;
    const observer = new ResizeObserver(() => toEnd());
    observer.observe(scroller);
    return () => observer.disconnect();
  }, [scroller, toEnd]);
}
