/** Owns the toast region: its own root beside the app, made when the first message is shown. */
import { createRoot } from "react-dom/client";
import { flushSync } from "react-dom";
import { Toaster, toast } from "sonner";
import { buttonClass } from "./button.tsx";
import { t } from "./messages.ts";
import type { ToastOptions } from "./toast.ts";

const SHOWN_MS = 4_000;
/** Long enough to read, decide and reach for it. */
const UNDO_SHOWN_MS = 8_000;

function mountToaster(): void {
  const host = document.createElement("div");
  document.body.append(host);
  // Subscribed before this module is used: a message sent earlier would not be shown.
  flushSync(() => {
    createRoot(host).render(
      <Toaster
        position="bottom-center"
        style={{ fontFamily: "var(--font-sans)" }}
        gap={8}
        toastOptions={{
          unstyled: true,
          classNames: {
            toast:
              "flex w-full items-center gap-3 rounded-dock border border-line bg-raised py-2 pr-2 pl-4 text-ui text-fg shadow-overlay min-h-11",
            title: "font-medium",
            actionButton: `${buttonClass("secondary", "sm")} ml-auto`,
          },
        }}
      />,
    );
  });
}

mountToaster();

export function showToast(message: string, { undo }: ToastOptions): void {
  if (undo === undefined) {
    toast(message, { duration: SHOWN_MS });
    return;
  }
  toast(message, { duration: UNDO_SHOWN_MS, action: { label: t.undo, onClick: undo } });
}
