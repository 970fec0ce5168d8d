/** Words of Settings, Machines. */
import { formatCount } from "../ui/format.ts";

export const t = {
  about: "Computers where your sessions can run. The work is done there, on their files; you follow it from any browser.",
  none: "No machine has connected yet.",
  own: "Your computers",
  lent: "Lent by the operator",
  running: (running: number, capacity: number) => `${formatCount(running)} of ${formatCount(capacity)} sessions running`,
  version: (version: string) => `Agent ${version}`,
  outdated: "Older than this platform. To update, start it again there with:",
  folders: "Folders",
  moreFolders: (count: number) => `and ${formatCount(count)} more`,
  paths: "Folders may be opened in place",
  sessions: "Running now",
  untitled: "Untitled session",
  add: {
    open: "Add a machine",
    title: "Add a machine",
    about: "It needs Node.js 20.11 or newer and git. Nothing listens on it: it dials out.",
    signIn: "On that computer, sign it in. A page opens where you approve it:",
    headless: "Without a browser there, it shows a code to type at",
    connect: "Then let it work, in the folder of a project:",
    waiting: "Waiting for it to connect…",
    arrived: (name: string) => `${name} is connected.`,
    start: "New session",
    close: "Close",
  },
  copy: (what: string) => `Copy: ${what}`,
  copied: "Copied",
  copyFailed: "The browser did not allow copying. Select the text instead.",
} as const;

export const commands = (origin: string) =>
  ({
    login: `npx @ai-dev-platform/agent login --server ${origin}`,
    connect: "npx @ai-dev-platform/agent connect --dir .",
    update: "npx @ai-dev-platform/agent@latest connect",
  }) as const;
