/** A menu behind a button. Its code comes after first paint (late-part.tsx); the parts themselves are in menu-parts.tsx. */
import { LateOverlay, latePart } from "./late-part.tsx";
import type { MenuItemProps, MenuProps, MenuRadioProps } from "./menu-parts.tsx";

export type { MenuItemProps, MenuProps, MenuRadioProps } from "./menu-parts.tsx";

const parts = latePart(() => import("./menu-parts.tsx"));

export function Menu(props: MenuProps) {
  const here = parts.useIt();
  return <LateOverlay trigger={props.trigger} render={here && ((startsOpen) => <here.Menu {...props} startsOpen={startsOpen} />)} />;
}

// Items are rendered inside an open menu only, so that the parts are here by then.
export function MenuItem(props: MenuItemProps) {
  const here = parts.useIt();
  return here && <here.MenuItem {...props} />;
}

/** One choice of several. */
export function MenuRadio(props: MenuRadioProps) {
  const here = parts.useIt();
  return here && <here.MenuRadio {...props} />;
}

export function MenuSeparator() {
  const here = parts.useIt();
  return here && <here.MenuSeparator />;
}
