/** The workbench's width: remembered per session, held to the space that is there. */
import { useCallback, useState, useSyncExternalStore } from "react";
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

/** An element's inner width, now and later. */
function useElementWidth(element: HTMLElement | null): number {
  const subscribe = useCallback(
    (listener: () => void) => {
      if (element === null) return () => undefined;
      const observer = new ResizeObserver(listener);
      observer.observe(element);
      return () => observer.disconnect();
    },
    [element],
  );
  return useSyncExternalStore(subscribe, () => element?.clientWidth ?? 0);
}

export function useWorkbenchWidth(sessionId: string, container: HTMLElement | null) {
  const [wishPx, setWishPx] = useState(() => loadWish(sessionId));
  const spacePx = useElementWidth(container);
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
