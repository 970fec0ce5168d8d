/**
 * A short text on hover and on keyboard focus. Our own, because it stands on every page and a positioning library costs
 * more than the rest of the page's controls. It can be pointed at, and Escape closes it (WCAG 1.4.13).
 */
import {
  cloneElement,
  isValidElement,
  useEffect,
  useId,
  useLayoutEffect,
  useRef,
  useState,
  type FocusEvent,
  type PointerEvent,
  type ReactNode,
} from "react";
import { placeTooltip } from "./tooltip-place.ts";

const OPEN_DELAY_MS = 400;
/** Long enough to move the pointer from the control onto the text. */
const CLOSE_DELAY_MS = 120;

interface Described {
  "aria-describedby"?: string | undefined;
  "aria-label"?: string | undefined;
}

/** Opens and closes after a delay; a later wish replaces the one before. */
function useDelayedAnchor(): [Element | null, (anchor: Element | null, delayMs: number) => void] {
  const [anchor, setAnchor] = useState<Element | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const want = (wanted: Element | null, delayMs: number) => {
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setAnchor(wanted), delayMs);
  };
  return [anchor, want];
}

export interface TooltipProps {
  text: string;
  /** One focusable element. */
  children: ReactNode;
}

export function Tooltip({ text, children }: TooltipProps) {
  const id = useId();
  const [anchor, want] = useDelayedAnchor();
  useEffect(() => {
    if (anchor === null) return undefined;
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key === "Escape") want(null, 0);
    };
    addEventListener("keydown", onKeyDown);
    return () => removeEventListener("keydown", onKeyDown);
  });
  const onPointerEnter = (event: PointerEvent) => {
    if (event.pointerType !== "touch") want(event.currentTarget.firstElementChild, OPEN_DELAY_MS);
  };
  const onFocus = (event: FocusEvent) => {
    if (event.target.matches(":focus-visible")) want(event.currentTarget.firstElementChild, OPEN_DELAY_MS);
  };
  const close = () => want(null, CLOSE_DELAY_MS);
  const isOpen = anchor?.isConnected === true && text !== "";
  // A label that says the same is not said twice.
  const trigger =
    isOpen && isValidElement<Described>(children) && children.props["aria-label"] !== text
      ? cloneElement(children, { "aria-describedby": id })
      : children;
  return (
    <span
      className="contents"
      onPointerEnter={onPointerEnter}
      onPointerLeave={close}
      onPointerDown={() => want(null, 0)}
      onFocus={onFocus}
      onBlur={close}
    >
      {trigger}
      {isOpen && <Bubble id={id} text={text} anchor={anchor} onPointerEnter={() => want(anchor, 0)} />}
    </span>
  );
}

interface BubbleProps {
  id: string;
  text: string;
  anchor: Element;
  onPointerEnter: () => void;
}

function Bubble({ id, text, anchor, onPointerEnter }: BubbleProps) {
  const bubble = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const element = bubble.current;
    if (element === null) return;
    // The top layer: no ancestor clips, moves or fades it, and it stays inside its landmark.
    element.showPopover();
    const screen = { width: document.documentElement.clientWidth, height: document.documentElement.clientHeight };
    const { left, top } = placeTooltip(anchor.getBoundingClientRect(), element.getBoundingClientRect(), screen);
    element.style.transform = `translate(${left}px, ${top}px)`;
  }, [anchor]);
  return (
    <div
      ref={bubble}
      id={id}
      role="tooltip"
      popover="manual"
      onPointerEnter={onPointerEnter}
      className="fixed inset-auto top-0 left-0 m-0 w-max overflow-visible border-0 max-w-72 rounded-control bg-ink px-2 py-1 text-label text-on-ink shadow-overlay"
    >
      {text}
    </div>
  );
}
