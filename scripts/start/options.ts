/** The options of `npm start`, parsed and checked. */
import { parseArgs } from "node:util";

export interface StartOptions {
  port: number;
  dataDir: string;
  open: boolean;
  demo: boolean;
  machine: boolean;
}

export const USAGE = `npm start -- [options]

  --port N       port on 127.0.0.1 (8787)
  --data DIR     where accounts, sessions and files are kept (.data)
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
        port: { type: "string", default: "8787" },
        data: { type: "string", default: ".data" },
        open: { type: "boolean" },
        demo: { type: "boolean", default: true },
        machine: { type: "boolean", default: true },
        help: { type: "boolean" },
      },
    });
    if (values.help === true) return { ok: false, exitCode: 0, message: USAGE };
    const port = Number(values.port);
    if (!Number.isInteger(port) || port < 1 || port > 65_535)
      return { ok: false, exitCode: 1, message: `--port takes a number from 1 to 65535, not "${values.port}".` };
    return { ok: true, options: { port, dataDir: values.data, open: values.open ?? false, demo: values.demo, machine: values.machine } };
  } catch (error) {
    return { ok: false, exitCode: 1, message: `${error instanceof Error ? error.message : String(error)}\n\n${USAGE}` };
  }
}
