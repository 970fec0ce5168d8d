/**
 * Overlays that load after first paint. Until the code is here the trigger stands alone; a press in that moment is kept and
 * opens the overlay when it arrives, and a focus on the trigger stays where it is.
 */
import { useEffect, useRef, useState, useSyncExternalStore, type ReactNode } from "react";

export interface LatePart<M> {
  /** The module, or null until it is here; asks for it when the browser has nothing better to do. */
  useIt: () => M | null;
}

const IDLE_FALLBACK_MS = 200;
const whenIdle = (run: () => void): void => {
  if (typeof requestIdleCallback === "function") requestIdleCallback(run);
  else setTimeout(run, IDLE_FALLBACK_MS);
};

export function latePart<M>(load: () => Promise<M>): LatePart<M> {
  let part: M | null = null;
  let isAsked = false;
  const listeners = new Set<() => void>();
  const ask = () => {
    if (isAsked) return;
    isAsked = true;
    load().then(
      (loaded) => {
        part = loaded;
        for (const listener of listeners) listener();
      },
      () => {
        // A broken network: the next press or the next trigger asks again.
        isAsked = false;
      },
    );
  };
  const subscribe = (listener: () => void) => {
    listeners.add(listener);
    whenIdle(ask);
    return () => listeners.delete(listener);
  };
  return { useIt: () => useSyncExternalStore(subscribe, () => part) };
}

export interface LateOverlayProps {
  trigger: ReactNode;
  /** The overlay around the trigger; null while its code is not here. */
  render: ((startsOpen: boolean) => ReactNode) | null;
}

export function LateOverlay({ trigger, render }: LateOverlayProps) {
  const wrapper = useRef<HTMLSpanElement>(null);
  const [isWanted, setIsWanted] = useState(false);
  const hadFocus = useRef(false);
  const isHere = render !== null;
  useEffect(() => {
    // The trigger is a new element now: give the focus back, unless the overlay has taken it.
    const first = wrapper.current?.firstElementChild;
    if (isHere && hadFocus.current && document.activeElement === document.body && first instanceof HTMLElement) first.focus();
  }, [isHere]);
  if (render !== null) {
    return (
      <span ref={wrapper} className="contents">
        {render(isWanted)}
      </span>
    );
  }
  return (
    <span
      ref={wrapper}
      className="contents"
      onClickCapture={() => setIsWanted(true)}
      onFocus={() => {
        hadFocus.current = true;
      }}
      onBlur={() => {
        hadFocus.current = false;
      }}
    >
      {trigger}
    </span>
  );
}
