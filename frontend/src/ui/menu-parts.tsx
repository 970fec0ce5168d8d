import { Check } from "lucide-react";
import { DropdownMenu as Radix } from "radix-ui";
import { useCallback, useState, type ReactNode } from "react";
import { classes } from "./classes.ts";

const ITEM =
  "flex min-h-8 cursor-default items-center gap-2 rounded-control px-2 py-1 text-ui outline-none select-none pointer-coarse:min-h-11 pointer-coarse:text-body " +
  "data-[highlighted]:bg-hover data-[disabled]:opacity-50 [&_svg]:size-4 [&_svg]:flex-none [&_svg]:stroke-[1.75]";

export interface MenuProps {
  /** The button that opens the menu. */
  trigger: ReactNode;
  label: string;
  children: ReactNode;
  align?: "start" | "center" | "end";
}

/** A menu is content like its button: it opens inside the same landmark, where a screen reader looks for it. */
const LANDMARKS = "main, header, nav, aside, [role=dialog]";

export function Menu({ trigger, label, children, align = "start", startsOpen }: MenuProps & { startsOpen: boolean }) {
  const [landmark, setLandmark] = useState<HTMLElement | null>(null);
  const findLandmark = useCallback((button: HTMLElement | null) => setLandmark(button?.closest<HTMLElement>(LANDMARKS) ?? null), []);
  return (
    <Radix.Root modal={false} defaultOpen={startsOpen}>
      <Radix.Trigger asChild ref={findLandmark}>
        {trigger}
      </Radix.Trigger>
      <Radix.Portal container={landmark}>
        <Radix.Content
          aria-label={label}
          align={align}
          sideOffset={4}
          collisionPadding={8}
          className="z-50 max-h-[var(--radix-dropdown-menu-content-available-height)] max-w-[min(360px,calc(100vw-16px))] min-w-44 animate-overlay overflow-y-auto rounded-card border border-line bg-raised p-1 text-fg shadow-overlay"
        >
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

export interface MenuItemProps {
  onSelect: () => void;
  icon?: ReactNode;
  shortcut?: string;
  danger?: boolean;
  disabled?: boolean;
  children: ReactNode;
}

export function MenuItem({ onSelect, icon, shortcut, danger = false, disabled = false, children }: MenuItemProps) {
  return (
    <Radix.Item onSelect={onSelect} disabled={disabled} className={classes(ITEM, danger && "text-bad data-[highlighted]:bg-bad-soft")}>
      {icon}
      <span className="min-w-0 flex-1">{children}</span>
      {shortcut !== undefined && <kbd className="pl-4 font-sans text-label text-fg-3">{shortcut}</kbd>}
    </Radix.Item>
  );
}

export interface MenuOption {
  value: string;
  label: string;
  description?: string | undefined;
}

export interface MenuRadioProps {
  value: string;
  onChange: (value: string) => void;
  options: readonly MenuOption[];
}

/** One choice of several. */
export function MenuRadio({ value, onChange, options }: MenuRadioProps) {
  return (
    <Radix.RadioGroup value={value} onValueChange={onChange}>
      {options.map((option) => (
        <Radix.RadioItem key={option.value} value={option.value} className={ITEM}>
          <span className="size-4 flex-none">
            <Radix.ItemIndicator>
              <Check />
            </Radix.ItemIndicator>
          </span>
          <span className="min-w-0 flex-1">
            <span className="block">{option.label}</span>
            {option.description !== undefined && <span className="block text-label text-fg-3">{option.description}</span>}
          </span>
        </Radix.RadioItem>
      ))}
    </Radix.RadioGroup>
  );
}

export function MenuSeparator() {
  return <Radix.Separator className="my-1 h-px bg-line" />;
}
