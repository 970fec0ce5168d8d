/** The options of `npm start`, parsed and checked. */
import os from "node:os";
import { parseArgs } from "node:util";
import { userDataFolder } from "../../agent/src/desktop/data-folder.ts";

export interface StartOptions {
  port: number;
  /** False: nobody named a port. */
  isPortNamed: boolean;
  dataDir: string;
  /** As an app of one person, in a window of its own. */
  app: boolean;
  /** The app goes on without its window. */
  stay: boolean;
  /** Program of the app's window. */
  browser: string | null;
  open: boolean;
  demo: boolean;
  machine: boolean;
}

export const USAGE = `npm start -- [options]

  --port N       port on 127.0.0.1 (8787)
  --data DIR     where accounts, sessions and files are kept (.data)
  --app          as an app: a window of its own, you signed in, data in your user's data folder
  --stay         with --app: goes on when the window is closed
  --browser PATH with --app: the program of the window (an installed Chromium, Chrome or Edge)
  --open         open the page in the browser
  --no-demo      without the built-in demo model
  --no-machine   without connecting this computer as the machine that runs sessions
  --help         this text`;

export type ParsedOptions = { ok: true; options: StartOptions } | { ok: false; exitCode: number; message: string };

export function parseOptions(argv: string[]): ParsedOptions {
  try {
    const { values } = parseArgs({
      args: argv,
      allowNegative: true,
      options: {
        port: { type: "string" },
        data: { type: "string" },
        app: { type: "boolean", default: false },
        stay: { type: "boolean", default: false },
        browser: { type: "string" },
        open: { type: "boolean" },
        demo: { type: "boolean", default: true },
        machine: { type: "boolean", default: true },
        help: { type: "boolean" },
      },
    });
    if (values.help === true) return { ok: false, exitCode: 0, message: USAGE };
    const port = Number(values.port ?? "8787");
    if (!Number.isInteger(port) || port < 1 || port > 65_535)
      return { ok: false, exitCode: 1, message: `--port takes a number from 1 to 65535, not "${values.port}".` };
    const dataDir = values.data ?? (values.app ? userDataFolder(process.platform, process.env, os.homedir()) : ".data");
    const { open = false, demo, machine, app, stay, browser = null } = values;
    return { ok: true, options: { port, isPortNamed: values.port !== undefined, dataDir, open, demo, machine, app, stay, browser } };
  } catch (error) {
    return { ok: false, exitCode: 1, message: `${error instanceof Error ? error.message : String(error)}\n\n${USAGE}` };
  }
}
