/** Words of the building blocks themselves; features bring their own. */
export const t = {
  close: "Close",
  dismiss: "Dismiss",
  undo: "Undo",
  copy: "Copy",
  copied: "Copied",
  show: "Show",
  hide: "Hide",
  loading: "Loading",
  justNow: "now",
  panelStopped: (name: string) => `${name} stopped responding.`,
  panelReload: "Reload panel",
  details: "Details",
} as const;
