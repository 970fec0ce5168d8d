/** A panel behind a button. Its code comes after first paint (late-part.tsx). */
import { LateOverlay, latePart } from "./late-part.tsx";
import type { PopoverProps } from "./popover-parts.tsx";

export type { PopoverProps } from "./popover-parts.tsx";

const parts = latePart(() => import("./popover-parts.tsx"));

export function Popover(props: PopoverProps) {
  const here = parts.useIt();
  return <LateOverlay trigger={props.trigger} render={here && ((startsOpen) => <here.Popover {...props} startsOpen={startsOpen} />)} />;
}
