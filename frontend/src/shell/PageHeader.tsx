import { PanelLeft } from "lucide-react";
import type { ReactNode } from "react";
import { usePageTitle } from "./page-title.ts";
import { IconButton } from "../ui/button.tsx";
import { t } from "./messages.ts";
import { shell } from "./shell-state.ts";

/** The bar over a page: its title, and the way to the list where the sidebar has no room. */
export function PageHeader({ title, children }: { title: string; children?: ReactNode }) {
  usePageTitle(title);
  return (
    <header className="flex h-11 flex-none items-center gap-2 border-b border-line px-3 pointer-coarse:h-13">
      <div className="lg:hidden">
        <IconButton label={t.openSidebar} onClick={shell.openDrawer}>
          <PanelLeft />
        </IconButton>
      </div>
      <h1 className="min-w-0 flex-1 truncate text-ui font-semibold pointer-coarse:text-title">{title}</h1>
      {children}
    </header>
  );
}
