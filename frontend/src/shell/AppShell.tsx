/**
 * The frame of every signed-in page: the sidebar, its drawer on narrow screens, the offline strip, and the new-session
 * dialog. Pages bring their own `<main id="main">`, so that a panel beside it stays a landmark of its own.
 * A shell inside a shell shows its children only: the outer one stays in place while pages change.
 */
import { createContext, lazy, Suspense, use, type ReactNode } from "react";
import { useLocation } from "wouter";
import { useShortcuts } from "../keyboard/use-shortcuts.ts";
import { paths } from "../routes.ts";
import { t } from "./messages.ts";
import { OfflineStrip } from "./OfflineStrip.tsx";
import { shell, useShellState } from "./shell-state.ts";
import { Sidebar } from "./Sidebar.tsx";

const Drawer = lazy(() => import("./Drawer.tsx"));
const NewSessionDialog = lazy(() => import("../new-session/NewSessionDialog.tsx"));
const IsInShell = createContext(false);

export function AppShell({ children }: { children: ReactNode }) {
  return use(IsInShell) ? children : <OuterShell>{children}</OuterShell>;
}

function OuterShell({ children }: { children: ReactNode }) {
  const { isSidebarHidden, isDrawerOpen, isNewSessionOpen } = useShellState();
  const [, navigate] = useLocation();
  useShortcuts({ new_session: () => shell.setNewSession(true), go_sessions: () => navigate(paths.sessions) });
  return (
    <IsInShell value={true}>
      <div className="flex h-full min-h-0 flex-col">
        <a href="#main" className="skip-link">
          {t.skipToMain}
        </a>
        <OfflineStrip />
        <div className="flex min-h-0 flex-1">
          {!isSidebarHidden && (
            <nav aria-label={t.sessionsNav} className="hidden w-[248px] flex-none border-r border-line lg:block">
              <Sidebar />
            </nav>
          )}
          <div className="flex min-h-0 min-w-0 flex-1 flex-col">
            <Suspense fallback={<main id="main" className="h-full bg-bg" />}>{children}</Suspense>
          </div>
        </div>
        <Suspense fallback={null}>
          {isDrawerOpen && <Drawer />}
          {isNewSessionOpen && <NewSessionDialog />}
        </Suspense>
      </div>
    </IsInShell>
  );
}
