/** The options of `npm run verify:deployed`, and who is to sign in, parsed and checked. */
import { parseArgs } from "node:util";

export type Credentials = { kind: "cookie"; cookie: string } | { kind: "password"; email: string; password: string };

export interface VerifyOptions {
  url: string;
  /** Of sandboxes started for the percentiles. */
  starts: number;
  /** Words of checks to run; empty: all. */
  only: string[];
  demo: boolean;
  credentials: Credentials;
}

export const USAGE = `npm run verify:deployed -- <url> [options]

Proves on a real deployment what only a real deployment can show. Signs in with AIDEV_EMAIL and AIDEV_PASSWORD, or with
AIDEV_COOKIE (the Cookie header of a signed-in browser). The account needs an Anthropic key: the checks ask the model to
run short commands, for about $0.10 in all, and sandboxes for about 15 minutes. What they make, they delete.

  --starts N     cold starts to measure (5)
  --only WORD    checks whose name has this word; may be given more than once
  --demo         use the built-in scripted model in place of a key, where the deployment offers it
  --help         this text`;

export type ParsedOptions = { ok: true; options: VerifyOptions } | { ok: false; exitCode: number; message: string };

const refused = (message: string): ParsedOptions => ({ ok: false, exitCode: 2, message });

function readCredentials(environment: NodeJS.ProcessEnv): Credentials | null {
  const { AIDEV_COOKIE: cookie = "", AIDEV_EMAIL: email = "", AIDEV_PASSWORD: password = "" } = environment;
  if (cookie !== "") return { kind: "cookie", cookie };
  return email === "" || password === "" ? null : { kind: "password", email, password };
}

export function parseOptions(argv: string[], environment: NodeJS.ProcessEnv): ParsedOptions {
  try {
    const { values, positionals } = parseArgs({
      args: argv,
      allowPositionals: true,
      options: {
        starts: { type: "string", default: "5" },
        only: { type: "string", multiple: true, default: [] },
        demo: { type: "boolean", default: false },
        help: { type: "boolean" },
      },
    });
    if (values.help === true) return { ok: false, exitCode: 0, message: USAGE };
    const [address, ...more] = positionals;
    const url = address === undefined || more.length > 0 ? null : URL.parse(address);
    if (url === null || !/^https?:$/.test(url.protocol))
      return refused(`Give one address, like https://ai-dev-platform.example.workers.dev\n\n${USAGE}`);
    const starts = Number(values.starts);
    if (!Number.isInteger(starts) || starts < 1 || starts > 20)
      return refused(`--starts takes a number from 1 to 20, not "${values.starts}".`);
    const credentials = readCredentials(environment);
    if (credentials === null) return refused("Set AIDEV_EMAIL and AIDEV_PASSWORD, or AIDEV_COOKIE, so that the checks can sign in.");
    return { ok: true, options: { url: url.origin, starts, only: values.only, demo: values.demo, credentials } };
  } catch (error) {
    return refused(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
  }
}
