/** Every address of the app, made in one place. Values are checked ids or plain words; free text is encoded. */
export const SETTINGS_TABS = ["account", "api-key", "api", "mcp", "network", "machines", "storage", "appearance", "shortcuts"] as const;
export type SettingsTab = (typeof SETTINGS_TABS)[number];

export const paths = {
  sessions: "/",
  archived: "/?archived=1",
  signIn: (next?: string) => (next === undefined || next === "/" ? "/signin" : `/signin?next=${encodeURIComponent(next)}`),
  /** Where one arrives after deleting the account. */
  accountDeleted: "/signin?account=deleted",
  newSession: (projectId?: string) => (projectId === undefined ? "/new" : `/new?project=${encodeURIComponent(projectId)}`),
  session: (sessionId: string) => `/s/${encodeURIComponent(sessionId)}`,
  project: (projectId: string) => `/p/${encodeURIComponent(projectId)}`,
  connect: "/connect",
  settings: (tab: SettingsTab = "account") => `/settings/${tab}`,
} as const;

/** Patterns for the router. */
export const patterns = {
  signIn: "/signin",
  sessions: "/",
  newSession: "/new",
  session: "/s/:id",
  project: "/p/:id",
  settings: "/settings/:tab?",
  share: "/share/:id",
  connect: "/connect",
} as const;

/** Where to go after sign-in: a path of this site, whatever the address says. */
export function nextPath(search: string): string {
  const next = new URLSearchParams(search).get("next") ?? "/";
  return /^\/(?![/\\])/.test(next) ? next : "/";
}

/** The link that is handed out. The secret stays behind the #, which no browser sends to a server. */
export const shareLink = (origin: string, shareId: string, secret: string): string =>
  `${origin}/share/${encodeURIComponent(shareId)}#${encodeURIComponent(secret)}`;
