/** Listens for the dock's keys while a request is shown. The guard time starts anew with every request and when the tab comes back. */
import { useEffect, useRef } from "react";
import { dockKey, type DockKey } from "./shortcut-guard.ts";

export function useDockKeys(shownId: string | null, handlers: Partial<Record<DockKey, () => void>>): void {
  const latest = useRef(handlers);
  useEffect(() => {
    latest.current = handlers;
  });
  useEffect(() => {
    if (shownId === null) return;
    let shownAt = performance.now();
    const onVisible = () => {
      if (document.visibilityState === "visible") shownAt = performance.now();
    };
    const onKey = (event: KeyboardEvent) => {
      if (document.querySelector("[role=dialog][data-state=open]") !== null) return;
      const key = dockKey(event, shownAt, performance.now());
      const handler = key === null ? undefined : latest.current[key];
      if (handler === undefined) return;
      event.preventDefault();
      handler();
    };
    window.addEventListener("keydown", onKey);
    document.addEventListener("visibilitychange", onVisible);
    return () => {
      window.removeEventListener("keydown", onKey);
      document.removeEventListener("visibilitychange", onVisible);
    };
  }, [shownId]);
}
