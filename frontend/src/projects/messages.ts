export const t = {
  source: "Source",
  sources: {
    empty: "Began empty",
    git: (url: string, branch: string | null) => (branch === null ? url : `${url} (${branch})`),
    archive: (name: string) => `Uploaded: ${name}`,
    path: (path: string) => `${path}, used in place`,
  },
  created: "Made",
  sessions: "Sessions",
  noSessions: "No session yet.",
  newSession: "New session",
  name: "Name",
  rename: "Rename",
  trust: "Run this repository's own hooks, settings and MCP servers. Only for code you trust.",
  settings: "Settings",
  archive: "Archive project",
  restore: "Bring the project back",
  archived: "This project is archived. It is not offered for new sessions.",
  remove: "Delete project…",
  removeTitle: "Delete the project?",
  removeText: (sessions: number) =>
    sessions === 0
      ? "It has no sessions. Files in a Git repository or a folder of a machine stay where they are."
      : sessions === 1
        ? "Its session goes with it: conversation and saved files. Files in a Git repository or a folder of a machine stay where they are."
        : `Its ${sessions} sessions go with it: conversations and saved files. Files in a Git repository or a folder of a machine stay where they are.`,
  removeConfirm: (sessions: number) =>
    sessions === 0
      ? "Delete the project"
      : sessions === 1
        ? "Delete 1 session and the project"
        : `Delete ${sessions} sessions and the project`,
  cancel: "Cancel",
  saved: "Saved",
  loadFailed: "The project could not be loaded.",
  retry: "Try again",
} as const;
