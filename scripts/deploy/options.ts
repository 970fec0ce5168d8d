/** The options of `npm run deploy`, parsed and checked. */
import { parseArgs } from "node:util";

export interface DeployOptions {
  /** Null: the name in wrangler.toml. */
  name: string | null;
  domain: string | null;
  sandbox: boolean;
  /** False: the containers' image and settings stay as they are, so that running sandboxes are not rolled. */
  image: boolean;
  pages: boolean;
  dryRun: boolean;
  /** Give up keys that were sealed with a lost KEY_ENCRYPTION. */
  newKeyEncryption: boolean;
}

export const USAGE = `npm run deploy -- [options]

  --dry-run             look at the account and print the plan; change nothing
  --name NAME           name of the Worker, its database and its bucket (from wrangler.toml: ai-dev-platform)
  --domain HOST         serve at this host too, a name in a zone of your account: code.example.com
  --no-sandbox          without Cloudflare containers: sessions run on connected machines (needs no paid plan, no Docker)
  --no-image            leave the sandbox image as it is, so that running sandboxes are not replaced
  --no-pages            without the Pages project
  --new-key-encryption  KEY_ENCRYPTION is lost for good: make another; stored keys must be entered again
  --help                this text

Sign in first with: npx wrangler login   (or set CLOUDFLARE_API_TOKEN)`;

export type ParsedOptions = { ok: true; options: DeployOptions } | { ok: false; exitCode: number; message: string };

/** What names a Worker, a D1 database, an R2 bucket and, with "-web", a Pages project. */
const NAME = /^[a-z0-9](?:[a-z0-9-]{1,48}[a-z0-9])$/;
const HOST = /^(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/;

const refused = (message: string): ParsedOptions => ({ ok: false, exitCode: 1, message });

export function parseOptions(argv: string[], environment: NodeJS.ProcessEnv): ParsedOptions {
  try {
    const { values } = parseArgs({
      args: argv,
      allowNegative: true,
      options: {
        name: { type: "string" },
        domain: { type: "string" },
        sandbox: { type: "boolean", default: true },
        image: { type: "boolean", default: true },
        // Workers Builds lends a token for the Worker alone.
        pages: { type: "boolean", default: environment["WORKERS_CI"] !== "1" },
        "dry-run": { type: "boolean", default: false },
        "new-key-encryption": { type: "boolean", default: false },
        help: { type: "boolean" },
      },
    });
    if (values.help === true) return { ok: false, exitCode: 0, message: USAGE };
    const { name = null, domain = null } = values;
    if (name !== null && !NAME.test(name))
      return refused(`--name takes 3 to 50 small letters, digits and hyphens, starting and ending with a letter or digit, not "${name}".`);
    if (domain !== null && !HOST.test(domain)) return refused(`--domain takes a host like code.example.com, not "${domain}".`);
    const { sandbox, image, pages } = values;
    return {
      ok: true,
      options: { name, domain, sandbox, image, pages, dryRun: values["dry-run"], newKeyEncryption: values["new-key-encryption"] },
    };
  } catch (error) {
    return refused(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
  }
}
