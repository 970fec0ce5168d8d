/**
 * The bar between transcript and workbench. While it is dragged only a CSS variable changes; React hears of the end.
 * Double-click resets; arrows move by 16 px, Home and End go to the limits.
 */
import { useRef, type KeyboardEvent, type PointerEvent } from "react";
import { t } from "./messages.ts";
import { DEFAULT_SHARE, splitterRange, widthAfterKey, workbenchWidth } from "./splitter-size.ts";

export const WIDTH_VARIABLE = "--workbench-width";

export interface SplitterProps {
  /** The row that both sides share. */
  container: HTMLElement | null;
  widthPx: number;
  spacePx: number;
  onWidth: (widthPx: number) => void;
}

export function Splitter({ container, widthPx, spacePx, onWidth }: SplitterProps) {
  const dragged = useRef<number | null>(null);
  const range = splitterRange(widthPx, spacePx);

  const onPointerMove = (event: PointerEvent<HTMLDivElement>) => {
    const box = container?.getBoundingClientRect();
    if (dragged.current === null || box === undefined) return;
    dragged.current = workbenchWidth(box.right - event.clientX, box.width);
    container?.style.setProperty(WIDTH_VARIABLE, `${dragged.current}px`);
  };
  const onPointerUp = () => {
    if (dragged.current !== null) onWidth(dragged.current);
    dragged.current = null;
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const next = widthAfterKey(event.key, widthPx, spacePx);
    if (next === null) return;
    event.preventDefault();
    onWidth(next);
  };
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- a separator that can be moved is a widget
    <div
      // oxlint-disable-next-line jsx-a11y/prefer-tag-over-role -- a rule element cannot hold the focus
      role="separator"
      aria-orientation="vertical"
      aria-label={t.splitter}
      aria-valuemin={range.min}
      aria-valuemax={range.max}
      aria-valuenow={range.now}
      tabIndex={0}
      onKeyDown={onKeyDown}
      onDoubleClick={() => onWidth(workbenchWidth(spacePx * DEFAULT_SHARE, spacePx))}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        dragged.current = widthPx;
      }}
      onPointerMove={onPointerMove}
      onPointerUp={onPointerUp}
      onPointerCancel={onPointerUp}
      className="group absolute inset-y-0 -left-1.5 z-10 w-3 cursor-col-resize touch-none outline-none"
    >
      <div className="mx-auto h-full w-px bg-line transition-colors group-hover:bg-fg-3 group-focus-visible:w-0.5 group-focus-visible:bg-accent group-active:bg-accent" />
    </div>
  );
}
