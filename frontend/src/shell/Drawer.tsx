import { Dialog } from "radix-ui";
import { t } from "./messages.ts";
import { shell } from "./shell-state.ts";
import { Sidebar } from "./Sidebar.tsx";

/** The sidebar as a drawer, where the screen is too narrow for a column. */
export default function Drawer() {
  return (
    <Dialog.Root open onOpenChange={shell.setDrawer}>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-40 animate-fade bg-scrim lg:hidden" />
        <Dialog.Content
          aria-describedby={undefined}
          className="fixed inset-y-0 left-0 z-50 w-[min(320px,86vw)] animate-drawer border-r border-line shadow-overlay outline-none lg:hidden"
        >
          <Dialog.Title className="sr-only">{t.sessionsNav}</Dialog.Title>
          <Sidebar />
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
