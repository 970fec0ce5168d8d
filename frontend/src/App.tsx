/** Routes and what surrounds every page. Pages load when they are first needed. */
import { lazy, Suspense, type ReactNode } from "react";
import { Route, Switch } from "wouter";
import { load, preloadPage } from "./pages.ts";
import { patterns } from "./routes.ts";
import { t } from "./shell/messages.ts";
import { NotFoundPage } from "./shell/NotFoundPage.tsx";
import { Announcer } from "./ui/announcer.tsx";
import { PanelBoundary } from "./ui/error-boundary.tsx";

const SignedInPage = lazy(load.frame);
const SignInPage = lazy(load.signIn);
const SessionsPage = lazy(load.sessions);
const NewSessionPage = lazy(load.newSession);
const SessionPage = lazy(load.session);
const ProjectPage = lazy(load.project);
const SettingsPage = lazy(load.settings);
const SharePage = lazy(load.share);
const ConnectPage = lazy(load.connect);

// The first page comes beside its frame, not after it.
preloadPage(location.pathname);

const signedIn = (page: ReactNode) => <SignedInPage>{page}</SignedInPage>;

export function App() {
  return (
    <>
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
            <Route path={patterns.connect}>
              <ConnectPage />
            </Route>
            <Route>
              <NotFoundPage />
            </Route>
          </Switch>
        </Suspense>
      </PanelBoundary>
      <Announcer />
    </>
  );
}
