/** Routes and what surrounds every page. Pages load when they are first needed. */
import { QueryClientProvider } from "@tanstack/react-query";
import { lazy, Suspense, type ReactNode } from "react";
import { Route, Switch } from "wouter";
import { RequireUser } from "./auth/RequireUser.tsx";
import { queryClient } from "./query-client.ts";
import { patterns } from "./routes.ts";
import { AppShell } from "./shell/AppShell.tsx";
import { t } from "./shell/messages.ts";
import { NotFoundPage } from "./shell/NotFoundPage.tsx";
import { Announcer } from "./ui/announcer.tsx";
import { PanelBoundary } from "./ui/error-boundary.tsx";

const SignInPage = lazy(() => import("./auth/SignInPage.tsx"));
const SessionsPage = lazy(() => import("./sessions/SessionsPage.tsx"));
const NewSessionPage = lazy(() => import("./new-session/NewSessionPage.tsx"));
const SessionPage = lazy(() => import("./session-page/SessionPage.tsx"));
const ProjectPage = lazy(() => import("./projects/ProjectPage.tsx"));
const SettingsPage = lazy(() => import("./settings/SettingsPage.tsx"));
const SharePage = lazy(() => import("./share/SharePage.tsx"));

// The same frame around each page, so that it stays mounted when the page changes.
const signedIn = (page: ReactNode) => (
  <RequireUser>
    <AppShell>{page}</AppShell>
  </RequireUser>
);

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
