/**
 * What a runner in a sandbox is told, read from its environment, which only the runner's own user can read. Where the platform
 * vouches for the container there is no model token, and the other one opens nothing without the container. Pure.
 */
import { incarnationSchema, sessionIdSchema } from "@ai-dev-platform/protocol/ids";
import { workspaceSourceSchema } from "@ai-dev-platform/protocol/runner";
import * as z from "zod";
import { transferTokenOf } from "./transfer-token.ts";

/** Prefix of the variables that are for the runner and are taken out of the environment once they are read. */
const OWN_PREFIX = "AIDEV_";
/** In place of a token where the container itself is the identity: it opens nothing anywhere. */
const NO_TOKEN = "by-container-identity";

const json = z.string().transform((text, context): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    context.addIssue({ code: "custom", message: "not JSON" });
    return z.NEVER;
  }
});

const settingsSchema = z
  .object({
    AIDEV_SESSION: sessionIdSchema,
    AIDEV_INCARNATION: z.coerce.number().pipe(incarnationSchema),
    AIDEV_SOURCE: json.pipe(workspaceSourceSchema),
    AIDEV_SERVER: z.url({ protocol: /^https?$/ }),
    AIDEV_MODEL_URL: z.url({ protocol: /^https?$/ }),
    AIDEV_LINK_TOKEN: z.string().min(1),
    AIDEV_MODEL_TOKEN: z.string().min(1).optional(),
    /** Set by the SDK where it intercepts HTTPS with an authority of its own. */
    SANDBOX_INTERCEPT_HTTPS: z.string().optional(),
  })
  .transform((raw) => ({
    server: raw.AIDEV_SERVER,
    modelUrl: raw.AIDEV_MODEL_URL,
    isIntercepted: raw.SANDBOX_INTERCEPT_HTTPS === "1",
    /** What the files process shows. A public door knows the runner's token only. */
    filesToken: raw.AIDEV_MODEL_TOKEN === undefined ? transferTokenOf(raw.AIDEV_LINK_TOKEN) : raw.AIDEV_LINK_TOKEN,
    order: {
      sessionId: raw.AIDEV_SESSION,
      incarnation: raw.AIDEV_INCARNATION,
      linkToken: raw.AIDEV_LINK_TOKEN,
      modelToken: raw.AIDEV_MODEL_TOKEN ?? NO_TOKEN,
      source: raw.AIDEV_SOURCE,
    },
  }));
export type SandboxSettings = z.infer<typeof settingsSchema>;

type Environment = Readonly<Record<string, string | undefined>>;
export type ReadSettings = { ok: true; settings: SandboxSettings } | { ok: false; detail: string };

/** A refusal names the variables, never their values. */
export function readSettings(environment: Environment): ReadSettings {
  const parsed = settingsSchema.safeParse(environment);
  if (parsed.success) return { ok: true, settings: parsed.data };
  const names = new Set(parsed.error.issues.map((issue) => String(issue.path[0])));
  return { ok: false, detail: `Missing or malformed: ${[...names].join(", ")}.` };
}

export const ownVariables = (environment: Environment): string[] => Object.keys(environment).filter((name) => name.startsWith(OWN_PREFIX));
