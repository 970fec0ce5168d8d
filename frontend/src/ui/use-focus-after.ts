import { useCallback, useEffect, useRef, type RefObject } from "react";

/**
 * For a dialog that takes with it what opened it, such as a row's own button: the focus goes to `target` once nothing covers
 * it any more. Returns what asks for that.
 */
export function useFocusAfter(isCovered: boolean, target: RefObject<HTMLElement | null>): () => void {
  const isWanted = useRef(false);
  useEffect(() => {
    if (isCovered || !isWanted.current) return;
    isWanted.current = false;
    target.current?.focus();
  }, [isCovered, target]);
  return useCallback(() => {
    isWanted.current = true;
  }, []);
}
