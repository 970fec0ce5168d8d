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
  browsers: {
    title: "Browsers that may give commands",
    about:
      "Your own computers do only what a browser that they know has signed, whatever the server says. Its key stays in that browser and cannot be read out.",
    here: "this browser",
    noKey: "This browser has no key yet.",
    unable: "This browser cannot make a signing key, or keeps nothing. Use a newer one, outside a private window.",
    make: "Make a key",
    pair: "For a computer that does not know this browser yet, run there:",
    remove: "Remove",
    removeLabel: (name: string) => `Remove ${name} from the list`,
    removed: "Removing takes a browser off this list. A computer that knows it goes on until you run there: ai-dev-agent keys remove.",
  },
  copy: (what: string) => `Copy: ${what}`,
  copied: "Copied",
  copyFailed: "The browser did not allow copying. Select the text instead.",
} as const;

/** The package by its name in the registry. */
export const REGISTRY_NAME = "@ai-dev-platform/agent";

/** `program`: where npx finds it, this platform's own copy if it serves one. */
export const commands = (origin: string, program: string) =>
  ({
    login: `npx ${program} login --server ${origin}`,
    connect: `npx ${program} connect --dir .`,
    addKey: (fingerprint: string) => `npx ${program} keys add ${fingerprint}`,
    update: `npx ${program} connect`,
  }) as const;
