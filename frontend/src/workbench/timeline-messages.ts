/** Words of the timeline. */
export const t = {
  list: "Saved states, newest first",
  none: "Nothing is saved yet.",
  noneHint: "A state is saved after each turn that changed something. You can go back to any of them.",
  step: (seq: string) => `Step ${seq}`,
  beginning: "The beginning",
  now: "Now",
  size: (files: string, bytes: string, stored: string) => `${files} files, ${bytes} · ${stored} stored`,
  back: "Go back",
  backLabel: (seq: string) => `Go back to step ${seq}`,
  fork: "Fork",
  forking: "Forking…",
  forkLabel: (seq: string) => `Fork from step ${seq}: a new session that goes on from there`,
  older: "Older states",
  dialog: {
    title: (seq: string) => `Go back to step ${seq}?`,
    body: "Files and conversation return together to how they were then.",
    stays: "What the workspace holds now is saved first, and stays on the timeline: you can come forward again.",
    confirm: "Go back",
    going: "Going back…",
    cancel: "Cancel",
  },
} as const;
