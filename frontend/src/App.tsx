/** Routes and what surrounds every page. Pages load when they are first needed. */
import { QueryClientProvider } from "@tanstack/react-query";
import { lazy, Suspense, type ReactNode } from "react";
import { Route, Switch } from "wouter";
import { queryClient } from "./query-client.ts";
import { patterns } from "./routes.ts";
import { t } from "./shell/messages.ts";
import { NotFoundPage } from "./shell/NotFoundPage.tsx";
import { Announcer } from "./ui/announcer.tsx";
import { PanelBoundary } from "./ui/error-boundary.tsx";

const load = {
  frame: () => import("./shell/SignedInPage.tsx"),
  signIn: () => import("./auth/SignInPage.tsx"),
  sessions: () => import("./sessions/SessionsPage.tsx"),
  newSession: () => import("./new-session/NewSessionPage.tsx"),
  session: () => import("./session-page/SessionPage.tsx"),
  project: () => import("./projects/ProjectPage.tsx"),
  settings: () => import("./settings/SettingsPage.tsx"),
  share: () => import("./share/SharePage.tsx"),
};

const SignedInPage = lazy(load.frame);
const SignInPage = lazy(load.signIn);
const SessionsPage = lazy(load.sessions);
const NewSessionPage = lazy(load.newSession);
const SessionPage = lazy(load.session);
const ProjectPage = lazy(load.project);
const SettingsPage = lazy(load.settings);
const SharePage = lazy(load.share);

const BY_FIRST_SEGMENT: Record<string, () => Promise<unknown>> = {
  "": load.sessions,
  new: load.newSession,
  s: load.session,
  p: load.project,
  settings: load.settings,
};

/** Fetches the first page beside its frame, not after it. A failure shows when the page itself is rendered. */
function preloadPage(pathname: string): void {
  BY_FIRST_SEGMENT[pathname.split("/")[1] ?? ""]?.().catch(() => undefined);
}
preloadPage(location.pathname);

const signedIn = (page: ReactNode) => <SignedInPage>{page}</SignedInPage>;

export function App() {
  return (
    <QueryClientProvider client={queryClient}>
      <PanelBoundary name={t.appName}>
        <Suspense fallback={<div className="h-full bg-bg" />}>
          <Switch>
            <Route path={patterns.signIn}>
              <SignInPage />
            </Route>
            <Route path={patterns.sessions}>{signedIn(<SessionsPage />)}</Route>
            <Route path={patterns.newSession}>{signedIn(<NewSessionPage />)}</Route>
            <Route path={patterns.session}>{({ id }) => signedIn(<SessionPage key={id} sessionId={id} />)}</Route>
            <Route path={patterns.project}>{({ id }) => signedIn(<ProjectPage key={id} projectId={id} />)}</Route>
            <Route path={patterns.settings}>{({ tab }) => signedIn(<SettingsPage tab={tab} />)}</Route>
            <Route path={patterns.share}>{({ id }) => <SharePage key={id} shareId={id} />}</Route>
            <Route>
              <NotFoundPage />
            </Route>
          </Switch>
        </Suspense>
      </PanelBoundary>
      <Announcer />
    </QueryClientProvider>
  );
}
