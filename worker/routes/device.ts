/**
 * /machine/login: where a person's own computer asks to sign in and fetches its token. No cookie is read here, so nothing that
 * a browser does by itself can act; who approves is in routes/authorize.ts. SPEC MA4, MA5.
 */
import { Hono } from "hono";
import type * as z from "zod";
import {
  browserKeySchema,
  deviceLoginSchema,
  loginTokenSchema,
  loopbackLoginSchema,
  type deviceLoginBodySchema,
  type loopbackLoginBodySchema,
  type machineLoginBodySchema,
} from "@ai-dev-platform/protocol/machine-login";
import {
  DEVICE_LOGIN_TTL_MS,
  judgePoll,
  LOOPBACK_LOGIN_TTL_MS,
  newUserCode,
  POLL_INTERVAL_MS,
  showUserCode,
} from "../auth/machine-login.ts";
import { newMachineToken, newSecret } from "../auth/machine-token.ts";
import type { RateRule } from "../config.ts";
import { findLogin, insertLogin, recordPoll, takeDeviceLogin, takeLoopbackLogin, type MachineLogin } from "../db/machine-logins.ts";
import { claimMachine, findTokenOwner, replaceToken } from "../db/machine-tokens.ts";
import { AppError } from "../errors.ts";
import { newId } from "../ids.ts";
import type { AppContext, AppEnv } from "../middleware/auth.ts";
import { parseJson } from "../middleware/body.ts";
import { linkOrigin } from "../middleware/origin.ts";
import { clientAddress, takeRate } from "../middleware/rate-limit.ts";
import { hashSecret } from "../shares/link-secret.ts";

/** Somebody who signs in a room full of computers stays below it. */
const LOGIN_RULE: RateRule = { name: "machine-login", limit: 30, windowMs: 10 * 60_000 };
/** A waiting device asks every 5 s; several wait behind one address. */
const TOKEN_RULE: RateRule = { name: "machine-token", limit: 120, windowMs: 60_000 };

export const deviceRoutes = new Hono<AppEnv>();

deviceRoutes.post("/machine/login/loopback", async (c) => {
  const { machine, challenge, state, port } = await parseJson(c, loopbackLoginSchema);
  const loginId = newSecret();
  await begin(c, { loginId, kind: "loopback", challenge, state, port, ...machine }, LOOPBACK_LOGIN_TTL_MS);
  const url = pageUrl(c, { login: loginId });
  return c.json({ loginId, url, expiresInMs: LOOPBACK_LOGIN_TTL_MS } satisfies z.infer<typeof loopbackLoginBodySchema>, 201);
});

deviceRoutes.post("/machine/login/device", async (c) => {
  const { machine } = await parseJson(c, deviceLoginSchema);
  const deviceCode = newSecret();
  const userCode = newUserCode();
  const deviceCodeHash = await hashSecret(deviceCode);
  await begin(c, { loginId: newSecret(), kind: "device", userCode, deviceCodeHash, ...machine }, DEVICE_LOGIN_TTL_MS);
  const body: z.infer<typeof deviceLoginBodySchema> = {
    deviceCode,
    userCode: showUserCode(userCode),
    url: pageUrl(c, {}),
    urlWithCode: pageUrl(c, { code: showUserCode(userCode) }),
    expiresInMs: DEVICE_LOGIN_TTL_MS,
    intervalMs: POLL_INTERVAL_MS,
  };
  return c.json(body, 201);
});

deviceRoutes.post("/machine/login/token", async (c) => {
  const wanted = await parseJson(c, loginTokenSchema);
  await takeRate(c.env, TOKEN_RULE, clientAddress(c.req.raw) ?? "local");
  const login = wanted.kind === "device" ? await pollDevice(c.env, wanted.deviceCode) : await exchangeCode(c.env, wanted);
  return c.json(await signInMachine(c.env, login, Date.now()), 201);
});

type Begun = Pick<MachineLogin, "loginId" | "kind" | "machineId" | "name" | "platform" | "agentVersion"> &
  Partial<Pick<MachineLogin, "challenge" | "state" | "port" | "userCode" | "deviceCodeHash">>;

async function begin(c: AppContext, begun: Begun, ttlMs: number): Promise<void> {
  const address = clientAddress(c.req.raw);
  await takeRate(c.env, LOGIN_RULE, address ?? "local");
  const now = Date.now();
  const { country } = c.req.raw.cf ?? {};
  await insertLogin(c.env.DB, {
    ...begun,
    status: "waiting",
    address,
    country: typeof country === "string" ? country : null,
    intervalMs: POLL_INTERVAL_MS,
    createdAt: now,
    expiresAt: now + ttlMs,
  });
}

/** The address that people open, also when the computer dialled another name of this server. */
function pageUrl(c: AppContext, query: Record<string, string>): string {
  const url = new URL("/connect", linkOrigin(c.env, c.req.url));
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  return url.href;
}

async function pollDevice(env: Env, deviceCode: string): Promise<MachineLogin> {
  const deviceCodeHash = await hashSecret(deviceCode);
  const now = Date.now();
  const login = await findLogin(env.DB, { deviceCodeHash });
  const poll = judgePoll(login, now);
  if (login === null || poll.kind === "expired") throw new AppError("login_expired");
  if (poll.kind === "denied") throw new AppError("login_denied");
  const intervalMs = poll.kind === "slow_down" ? poll.intervalMs : login.intervalMs;
  await recordPoll(env.DB, login.loginId, now, intervalMs);
  if (poll.kind === "slow_down") throw new AppError("login_slow_down", { retryAfterMs: intervalMs });
  if (poll.kind === "pending") throw new AppError("login_pending", { retryAfterMs: intervalMs });
  const taken = await takeDeviceLogin(env.DB, deviceCodeHash, now);
  if (taken === null) throw new AppError("login_expired");
  return taken;
}

async function exchangeCode(env: Env, proof: { loginId: string; code: string; verifier: string }): Promise<MachineLogin> {
  const [codeHash, challenge] = await Promise.all([hashSecret(proof.code), challengeOf(proof.verifier)]);
  const taken = await takeLoopbackLogin(env.DB, { loginId: proof.loginId, codeHash, challenge }, Date.now());
  if (taken === null) throw new AppError("login_expired");
  return taken;
}

/** RFC 7636, S256: the only method. */
async function challengeOf(verifier: string): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier)));
  return btoa(String.fromCharCode(...digest))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}

async function signInMachine(env: Env, login: MachineLogin, now: number): Promise<z.infer<typeof machineLoginBodySchema>> {
  const { userId, name, platform, agentVersion } = login;
  if (userId === null) throw new AppError("login_expired");
  const about = { userId, name, platform, agentVersion };
  // An id that is somebody else's is not given: the machine gets a new one.
  let machineId = login.machineId ?? newId("machine");
  if (!(await claimMachine(env.DB, { machineId, ...about }, now))) {
    machineId = newId("machine");
    await claimMachine(env.DB, { machineId, ...about }, now);
  }
  const token = newMachineToken();
  const tokenHash = await hashSecret(token);
  await replaceToken(env.DB, { machineId, userId, tokenHash, createdAt: now });
  const owner = await findTokenOwner(env.DB, tokenHash);
  // The account was deleted between the approval and now.
  if (owner === null) throw new AppError("login_expired");
  const browserKey = login.browserKey === null ? {} : { browserKey: browserKeySchema.parse(JSON.parse(login.browserKey)) };
  return { token, machineId, user: { name: owner.name, email: owner.email }, ...browserKey };
}
