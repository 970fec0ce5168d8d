/**
 * The frame of every signed-in page: the sidebar, its drawer on narrow screens, the offline strip, and the new-session
 * dialog. Pages bring their own `<main id="main">`, so that a panel beside it stays a landmark of its own.
 * A shell inside a shell shows its children only: the outer one stays in place while pages change.
 */
import { createContext, lazy, Suspense, use, type ReactNode } from "react";
import { useLocation, useRoute } from "wouter";
import { useShortcuts } from "../keyboard/use-shortcuts.ts";
import { paths, patterns } from "../routes.ts";
import { t } from "./messages.ts";
import { OfflineStrip } from "./OfflineStrip.tsx";
import { shell, useShellState } from "./shell-state.ts";
import { Sidebar } from "./Sidebar.tsx";

const Drawer = lazy(() => import("./Drawer.tsx"));
const NewSessionDialog = lazy(() => import("../new-session/NewSessionDialog.tsx"));
const GoPalette = lazy(() => import("./GoPalette.tsx"));
const ShortcutSheet = lazy(() => import("../keyboard/ShortcutSheet.tsx").then((module) => ({ default: module.ShortcutSheet })));
const IsInShell = createContext(false);

export function AppShell({ children }: { children: ReactNode }) {
  return use(IsInShell) ? children : <OuterShell>{children}</OuterShell>;
}

function OuterShell({ children }: { children: ReactNode }) {
  const { isSidebarHidden, isDrawerOpen, overlay } = useShellState();
  const [, navigate] = useLocation();
  // A session's page has a palette of its own, which also acts on the session.
  const [isSession] = useRoute(patterns.session);
  useShortcuts({
    new_session: () => shell.setOverlay("new_session"),
    go_sessions: () => navigate(paths.sessions),
    sidebar: shell.toggleSidebar,
    sheet: () => shell.setOverlay("shortcuts"),
    ...(isSession ? {} : { palette: () => shell.setOverlay("palette") }),
  });
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
          {overlay === "new_session" && <NewSessionDialog />}
          {overlay === "palette" && <GoPalette />}
          {overlay === "shortcuts" && <ShortcutSheet open onOpenChange={() => shell.setOverlay(null)} />}
        </Suspense>
      </div>
    </IsInShell>
  );
}
