import { X } from "lucide-react";
import { Dialog as Radix } from "radix-ui";
import { useRef, type ReactNode, type RefObject } from "react";
import { IconButton } from "./button.tsx";
import { classes } from "./classes.ts";
import { t } from "./messages.ts";

export interface DialogProps {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: string;
  description?: string | undefined;
  children: ReactNode;
  /** Buttons; the main one last. */
  footer?: ReactNode;
  wide?: boolean;
  /** What takes the focus; else the first thing that can. */
  initialFocus?: RefObject<HTMLElement | null>;
}

const CONTENT =
  "fixed z-50 flex flex-col border-line bg-raised text-fg shadow-overlay outline-none " +
  "inset-x-0 bottom-0 max-h-[92dvh] animate-sheet rounded-t-dock border-t pb-[env(safe-area-inset-bottom)] " +
  "md:inset-x-auto md:bottom-auto md:left-1/2 md:top-[12vh] md:max-h-[76vh] md:-translate-x-1/2 md:animate-fade md:rounded-dock md:border md:pb-0";

/** Whence the dialog was opened. A menu's item is gone by the time it closes: then it is the menu's button. */
function openerOf(focused: Element | null): HTMLElement | null {
  const menu = focused?.closest("[role=menu]") ?? null;
  const opener = menu === null ? focused : document.getElementById(menu.getAttribute("aria-labelledby") ?? "");
  return opener instanceof HTMLElement ? opener : null;
}

/** A modal dialog; on the phone a sheet from the bottom. The focus goes back to where it came from. */
export function Dialog({ open, onOpenChange, title, description, children, footer, wide = false, initialFocus }: DialogProps) {
  const opener = useRef<HTMLElement | null>(null);
  return (
    <Radix.Root open={open} onOpenChange={onOpenChange}>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-40 animate-fade bg-scrim" />
        <Radix.Content
          onOpenAutoFocus={(event) => {
            opener.current = openerOf(document.activeElement);
            if (!initialFocus?.current) return;
            event.preventDefault();
            initialFocus.current.focus();
          }}
          onCloseAutoFocus={(event) => {
            if (opener.current?.isConnected !== true) return;
            event.preventDefault();
            opener.current.focus();
          }}
          className={classes(CONTENT, wide ? "md:w-[640px]" : "md:w-[480px]")}
          {...(description === undefined ? { "aria-describedby": undefined } : {})}
        >
          <header className="flex items-start gap-3 px-4 pt-3 pb-2">
            <div className="min-w-0 flex-1 pt-1">
              <Radix.Title className="text-title font-semibold">{title}</Radix.Title>
              {description !== undefined && <Radix.Description className="mt-0.5 text-ui text-fg-2">{description}</Radix.Description>}
            </div>
            <Radix.Close asChild>
              <IconButton label={t.close}>
                <X />
              </IconButton>
            </Radix.Close>
          </header>
          <div className="min-h-0 flex-1 overflow-y-auto overscroll-contain px-4 pb-4">{children}</div>
          {footer !== undefined && <footer className="flex flex-wrap justify-end gap-2 border-t border-line px-4 py-3">{footer}</footer>}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
