/** Where each page's code is. Pages load when they are first needed, or a moment before. */
export const load = {
  frame: () => import("./shell/SignedInPage.tsx"),
  signIn: () => import("./auth/SignInPage.tsx"),
  sessions: () => import("./sessions/SessionsPage.tsx"),
  newSession: () => import("./new-session/NewSessionPage.tsx"),
  session: () => import("./session-page/SessionPage.tsx"),
  project: () => import("./projects/ProjectPage.tsx"),
  settings: () => import("./settings/SettingsPage.tsx"),
  share: () => import("./share/SharePage.tsx"),
  connect: () => import("./connect/ConnectPage.tsx"),
};

const BY_FIRST_SEGMENT: Record<string, () => Promise<unknown>> = {
  "": load.sessions,
  new: load.newSession,
  s: load.session,
  p: load.project,
  settings: load.settings,
  share: load.share,
  connect: load.connect,
  signin: load.signIn,
};

/** Fetches the code of the page at this address. A failure shows when the page itself is rendered. */
export function preloadPage(pathname: string): void {
  BY_FIRST_SEGMENT[pathname.split("/")[1] ?? ""]?.().catch(() => undefined);
}
