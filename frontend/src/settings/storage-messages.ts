/** Words of the storage tab; they load with it. */
const plural = new Intl.PluralRules("en");
const number = new Intl.NumberFormat();

export const t = {
  about: "Saved states of your sessions: files and conversations. Deleting a session makes room at once.",
  meter: "Storage used",
  used: (used: string, quota: string) => `${used} of ${quota} used`,
  usedNoQuota: (used: string) => `${used} used. There is no limit here.`,
  left: (left: string) => `${left} left`,
  full: "Storage is full: sessions are not saved until there is room.",
  nearlyFull: "Storage is nearly full. When it is, sessions are not saved any more.",
  list: "Sessions, largest first",
  none: "Nothing is stored yet.",
  sessions: (count: number) => `${number.format(count)} ${plural.select(count) === "one" ? "session" : "sessions"}`,
  neverSaved: "never saved",
  saved: "saved",
  remove: "Delete…",
  removeLabel: (title: string) => `Delete ${title}…`,
  removeTitle: "Delete session?",
  removeText: (title: string, bytes: string) =>
    `“${title}” goes for good: the conversation, its saved files and its share links. It frees up to ${bytes}; what forks of it hold stays theirs.`,
  removeConfirm: "Delete the session",
  removed: "Session deleted",
  cancel: "Keep it",
} as const;
