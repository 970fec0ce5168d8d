/**
 * /api/connect: where a signed-in person sees which computer asks to sign in, and approves it or not. Every /api request that
 * changes something must come from this site's own pages, and no page of it can be framed. SPEC MA4.
 */
import { Hono } from "hono";
import type * as z from "zod";
import { connectAnswerSchema, connectWhichSchema, type ConnectAnswerBody, type ConnectBody } from "@ai-dev-platform/protocol/machine-login";
import { fromOf, readUserCode, shortAddress } from "../auth/machine-login.ts";
import { newSecret } from "../auth/machine-token.ts";
import type { RateRule } from "../config.ts";
import { answerLogin, findLogin, type MachineLogin } from "../db/machine-logins.ts";
import { machineOwner } from "../db/machine-tokens.ts";
import { AppError } from "../errors.ts";
import { requireUser, type AppContext, type AppEnv } from "../middleware/auth.ts";
import { parseJson } from "../middleware/body.ts";
import { clientAddress, takeRate } from "../middleware/rate-limit.ts";
import { hashSecret } from "../shares/link-secret.ts";
import { registerBrowserKey } from "./browser-keys.ts";

/** Typing by hand, with mistakes; not guessing. A right code is looked up twice: to be shown, and to be answered. */
const CODE_RULE: RateRule = { name: "machine-code", limit: 20, windowMs: 10 * 60_000 };
/** Many accounts of one guesser. */
const CODE_ADDRESS_RULE: RateRule = { name: "machine-code-address", limit: 100, windowMs: 10 * 60_000 };

export const authorizeRoutes = new Hono<AppEnv>();

authorizeRoutes.get("/api/connect", requireUser, async (c) => {
  const which = connectWhichSchema.safeParse(c.req.query());
  if (!which.success) throw new AppError("login_code_unknown");
  const login = await waitingLogin(c, which.data);
  const { kind, name, platform, agentVersion, address, country, machineId, expiresAt } = login;
  const isKnown = machineId !== null && (await machineOwner(c.env.DB, machineId)) === c.get("user").userId;
  const from = fromOf(address, clientAddress(c.req.raw));
  // A loopback address is in no country, whatever a local run's platform says.
  const place = { address: shortAddress(address), country: from === "this_server" ? null : country };
  return c.json({ kind, name, platform, agentVersion, from, ...place, isKnown, expiresAt } satisfies ConnectBody);
});

authorizeRoutes.post("/api/connect", requireUser, async (c) => {
  const { which, approve, browserKey } = await parseJson(c, connectAnswerSchema);
  const login = await waitingLogin(c, which);
  const code = approve && login.kind === "loopback" ? newSecret() : null;
  const answer = {
    status: approve ? ("approved" as const) : ("denied" as const),
    userId: c.get("user").userId,
    codeHash: code === null ? null : await hashSecret(code),
    browserKey: approve && browserKey !== undefined ? JSON.stringify(browserKey) : null,
  };
  if (!(await answerLogin(c.env.DB, login.loginId, answer, Date.now()))) throw new AppError("login_expired");
  if (approve && browserKey !== undefined) await registerBrowserKey(c.env, answer.userId, browserKey, Date.now());
  return c.json({ redirectTo: redirectOf(login, code) } satisfies ConnectAnswerBody);
});

/** Unknown, over and answered look different only to who has the handle or the right code. */
async function waitingLogin(c: AppContext, which: z.infer<typeof connectWhichSchema>): Promise<MachineLogin> {
  const login = "login" in which ? await findLogin(c.env.DB, { loginId: which.login }) : await byTypedCode(c, which.code);
  if (login === null) throw new AppError("login_code_unknown");
  if (login.status !== "waiting" || login.expiresAt <= Date.now()) throw new AppError("login_expired");
  return login;
}

async function byTypedCode(c: AppContext, typed: string): Promise<MachineLogin | null> {
  const userCode = readUserCode(typed);
  // What has not the form of a code costs none of the few attempts.
  if (userCode === null) return null;
  // Counted before the look, right or wrong: otherwise a guesser who is over the limit would still be let in by a hit.
  await takeRate(c.env, CODE_RULE, c.get("user").userId);
  const address = clientAddress(c.req.raw);
  if (address !== null) await takeRate(c.env, CODE_ADDRESS_RULE, address);
  return findLogin(c.env.DB, { userCode });
}

/** Always this computer's own loopback address; nothing in it was chosen by who made the link, but the port. */
function redirectOf({ kind, port, state }: MachineLogin, code: string | null): string | null {
  if (kind !== "loopback" || port === null || state === null) return null;
  const url = new URL(`http://127.0.0.1:${port}/`);
  url.search = new URLSearchParams(code === null ? { error: "access_denied", state } : { code, state }).toString();
  return url.href;
}
