/** Words of the timeline. */
const plural = new Intl.PluralRules("en");
const number = new Intl.NumberFormat();
const counted = (count: number, one: string, many: string): string =>
  `${number.format(count)} ${plural.select(count) === "one" ? one : many}`;

export const t = {
  list: "Saved states, newest first",
  none: "Nothing is saved yet.",
  noneHint: "A state is saved after each turn that changed something. You can go back to any of them.",
  step: (seq: string) => `Step ${seq}`,
  beginning: "The beginning",
  now: "Now",
  size: (files: number, bytes: string, stored: string) => `${counted(files, "file", "files")}, ${bytes} · ${stored} stored`,
  back: "Go back…",
  backLabel: (seq: string) => `Go back to step ${seq}…`,
  fork: "Fork",
  forking: "Forking…",
  forkLabel: (seq: string) => `Fork from step ${seq}: a new session that goes on from there`,
  older: "Older states",
  allShown: "These are all the states that are kept.",
  loadingOlder: "Loading…",
  dependencies: (bytes: string) => `${bytes} of installed dependencies are saved apart and come back by themselves.`,
  leftOut: (count: number) => `${counted(count, "thing was", "things were")} left out of it.`,
  changes: {
    compare: "Compare with",
    before: "The state before it",
    choice: (step: string, label: string) => (label === "" ? step : `${step} · ${label}`),
    between: (from: string, to: string) => `From step ${from} to step ${to}`,
    sinceBefore: "Changed since the state before it",
    first: "The first saved state: all of it is new",
    none: "The same files.",
    noneHint: "Only the conversation went on.",
    counts: (added: number, modified: number, deleted: number) =>
      [
        ...(added > 0 ? [`${number.format(added)} added`] : []),
        ...(modified > 0 ? [`${number.format(modified)} changed`] : []),
        ...(deleted > 0 ? [`${number.format(deleted)} deleted`] : []),
      ].join(", "),
    grew: (bytes: string) => `${bytes} more`,
    shrank: (bytes: string) => `${bytes} less`,
    list: "Changed files",
    status: { added: "added", modified: "changed", deleted: "deleted" },
    fromTo: (before: string, after: string) => `${before} → ${after}`,
    more: (count: number) => `Show ${counted(count, "more file", "more files")}`,
    truncated: (count: number) => `Only the first ${counted(count, "file is", "files are")} listed.`,
    lines: "Lines of the file",
    patchTruncated: "Only the first part is shown.",
  },
  download: {
    title: "Download",
    withGit: "With the .git folder",
    zip: "Zip",
    tar: "Tar",
    label: (format: string, seq: string) => `Download step ${seq} as ${format}`,
  },
  dialog: {
    title: (seq: string) => `Go back to step ${seq}?`,
    body: "What the workspace holds now is saved first, and stays on the timeline: you can come forward again.",
    scope: "What goes back",
    scopes: {
      all: { label: "Files and conversation", description: "Everything is as it was then. Claude does not remember what came since." },
      files: { label: "Files only", description: "The files are as they were then. Claude still remembers what came since." },
    },
    confirm: "Go back",
    going: "Going back…",
    cancel: "Cancel",
    started: (seq: string) => `Going back to step ${seq}. What is there now is saved first.`,
  },
} as const;
