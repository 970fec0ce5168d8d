import { ChevronLeft, ChevronRight, X } from "lucide-react";
import { createContext, useContext, type ReactNode } from "react";
import { IconButton } from "../ui/button.tsx";
import { t } from "./messages.ts";

export interface DockStack {
  position: number;
  count: number;
  go: (step: 1 | -1) => void;
  /** Puts a notice away; absent for what waits for an answer. */
  dismiss: (() => void) | null;
}

/** Where the shown item stands among the others; set by the dock, read by the card's frame. */
export const DockStackContext = createContext<DockStack>({ position: 1, count: 1, go: () => undefined, dismiss: null });

function StackControls() {
  const { position, count, go, dismiss } = useContext(DockStackContext);
  return (
    <div className="flex flex-none items-center text-fg-2">
      {count > 1 && (
        <>
          <IconButton label={t.previous} size="sm" disabled={position === 1} onClick={() => go(-1)}>
            <ChevronLeft />
          </IconButton>
          <span className="tabular px-0.5 text-label whitespace-nowrap">{t.stack(position, count)}</span>
          <IconButton label={t.next} size="sm" disabled={position === count} onClick={() => go(1)}>
            <ChevronRight />
          </IconButton>
        </>
      )}
      {dismiss !== null && (
        <IconButton label={t.dismiss} size="sm" onClick={dismiss}>
          <X />
        </IconButton>
      )}
    </div>
  );
}

export interface DockCardProps {
  icon: ReactNode;
  title: string;
  meta?: ReactNode;
  error?: string | undefined;
  children?: ReactNode;
  /** Buttons, the main one first. */
  actions?: ReactNode;
}

/** The frame of everything in the dock: amber means you. */
export function DockCard({ icon, title, meta, error, children, actions }: DockCardProps) {
  return (
    <div className="flex max-h-[min(60dvh,560px)] min-h-0 flex-col rounded-dock border border-warn-line bg-warn-soft">
      <header className="flex min-h-11 items-center gap-2.5 py-1.5 pr-2 pl-3.5 [&>svg]:size-[18px] [&>svg]:flex-none [&>svg]:stroke-[1.75] [&>svg]:text-warn">
        {icon}
        <h2 className="min-w-0 flex-1 text-body font-semibold">{title}</h2>
        <StackControls />
      </header>
      <div className="min-h-0 flex-1 overflow-y-auto overscroll-contain px-3 pb-3 md:pl-[42px]">
        {children}
        {meta !== undefined && <p className="mt-1.5 text-label text-fg-2">{meta}</p>}
        {error !== undefined && (
          <p role="alert" className="mt-2 text-ui text-bad">
            {error}
          </p>
        )}
      </div>
      {actions !== undefined && <footer className="flex flex-wrap items-center gap-2 px-3 pb-3">{actions}</footer>}
    </div>
  );
}
