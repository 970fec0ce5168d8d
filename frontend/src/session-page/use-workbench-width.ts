/** The workbench's width: remembered per session, held to the space that is there. */
import { useEffect, useLayoutEffect, useState, type RefObject } from "react";
import { DEFAULT_SHARE, workbenchWidth } from "./splitter-size.ts";

const storageKey = (sessionId: string) => `workbench:${sessionId}`;

function loadWish(sessionId: string): number | null {
  try {
    const stored = Number(localStorage.getItem(storageKey(sessionId)));
    return Number.isFinite(stored) && stored > 0 ? stored : null;
  } catch {
    return null;
  }
}

export function useWorkbenchWidth(sessionId: string, container: RefObject<HTMLElement | null>) {
  const [wishPx, setWishPx] = useState(() => loadWish(sessionId));
  const [spacePx, setSpacePx] = useState(0);
  useLayoutEffect(() => setSpacePx(container.current?.clientWidth ?? 0), [container]);
  useEffect(() => {
    const element = container.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => setSpacePx(element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, [container]);
  const setWidth = (next: number) => {
    setWishPx(next);
    try {
      localStorage.setItem(storageKey(sessionId), String(next));
    } catch {
      // Storage is closed: the width holds until the page is left.
    }
  };
  return { spacePx, widthPx: workbenchWidth(wishPx ?? spacePx * DEFAULT_SHARE, spacePx), setWidth };
}
