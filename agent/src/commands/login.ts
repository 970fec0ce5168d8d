/** `login`: makes this computer a machine of the person who approves it in a browser. SPEC MA4. */
import { createHash, randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { setTimeout as wait } from "node:timers/promises";
import { deviceLoginBodySchema, loopbackLoginBodySchema, machineLoginBodySchema } from "@ai-dev-platform/protocol/machine-login";
import * as z from "zod";
import { AGENT_PACKAGE_VERSION } from "../config.ts";
import { keepMachineId, knownMachineId } from "../machine/data-dir.ts";
import { readLogin, saveLogin } from "../machine/login-store.ts";
import { listenForCode } from "../machine/loopback.ts";
import { ask } from "../machine/platform-api.ts";
import { serverDir } from "../machine/server-dir.ts";
import { answer, paint, remark } from "../output.ts";
import { browserCommand, openBrowser } from "./browser.ts";
import { defineCommand, UserError } from "./command.ts";
import { EXIT } from "./exit-codes.ts";
import { judgeKey, settlePairing, type Offered } from "./pair-browser.ts";
import { DATA_OPTION, dataDirOf, JSON_OPTION, requireServer, SERVER_OPTION, toError } from "./signed-in.ts";

type SignedIn = z.infer<typeof machineLoginBodySchema>;
type Approved = { signedIn: SignedIn; offered: Offered };
type Machine = { name: string; platform: string; agentVersion: string; machineId: string | null };

const SECRET_BYTES = 32;
const MAX_NAME_CHARS = 100;
/** RFC 8628: what is added when the server says to slow down without saying by how much. */
const SLOW_DOWN_MS = 5_000;

export const login = defineCommand({
  name: "login",
  summary: "sign this computer in, approved in your browser",
  options: {
    server: SERVER_OPTION,
    device: { type: "boolean", summary: "show a code to type on another device, instead of opening a browser here" },
    name: { type: "string", value: "NAME", summary: "how this computer is shown (default its host name)" },
    pin: { type: "string", value: "FINGERPRINT", summary: "of the browser's key, as it shows it: compared without asking" },
    unsigned: { type: "boolean", summary: "do what the server asks, also unsigned: for browsers that cannot sign" },
    data: DATA_OPTION,
    json: JSON_OPTION,
  },
  run: async (values) => {
    const dataDir = dataDirOf(values.data);
    const server = requireServer(values.server, dataDir);
    const folder = serverDir(dataDir, server);
    const known = readLogin(dataDir, server);
    const machine: Machine = {
      name: ((values.name ?? known?.name ?? hostname()).trim() || "machine").slice(0, MAX_NAME_CHARS),
      platform: `${process.platform} ${process.arch}`,
      agentVersion: AGENT_PACKAGE_VERSION,
      machineId: known?.machineId ?? (await knownMachineId(folder)),
    };
    const browser = values.device ? null : browserCommand(process.platform, process.env);
    const { signedIn, offered } = browser === null ? await byDevice(server, machine) : await byLoopback(server, machine, browser);
    const { user, machineId, token } = signedIn;
    const isPinned = await judgeKey(offered, values).catch(async (error: unknown) => {
      await ask(server, "/machine/logout", { token, body: {}, schema: z.undefined() });
      throw error;
    });
    await keepMachineId(folder, machineId);
    saveLogin(dataDir, { server, token, machineId, user, name: machine.name, signedInAt: Date.now() });
    const isSamePerson = known !== null && known.user.email === user.email;
    settlePairing(folder, offered, { isPinned, isSamePerson, unsigned: values.unsigned });
    if (values.json) answer(JSON.stringify({ ok: true, server, machineId, name: machine.name, user }));
    else {
      answer(paint("good", `Signed in to ${server} as ${user.name} (${user.email}).`));
      remark("Next: ai-dev-agent connect   lets this computer run your sessions.");
    }
    return EXIT.ok;
  },
});

const secret = (): string => randomBytes(SECRET_BYTES).toString("base64url");

async function byLoopback(server: string, machine: Machine, browser: readonly [string, ...string[]]): Promise<Approved> {
  const [verifier, state] = [secret(), secret()];
  const challenge = createHash("sha256").update(verifier).digest("base64url");
  const loopback = await listenForCode(state);
  try {
    const body = { machine, challenge, state, port: loopback.port };
    const begun = await ask(server, "/machine/login/loopback", { body, schema: loopbackLoginBodySchema });
    if (!begun.ok) throw toError(begun, server);
    const { loginId, url, expiresInMs } = begun.value;
    remark(`Approve this computer in the browser:\n  ${url}`);
    if (!(await openBrowser(browser, url))) remark("The browser could not be opened: open the address yourself, on this computer.");
    remark(paint("faint", "Waiting for your approval … (Ctrl-C gives up; --device is for another computer's browser)"));
    const came = await loopback.wait(expiresInMs);
    if (came.kind === "denied") throw new UserError("The sign-in was declined in the browser.", "Nothing was given to this computer.");
    if (came.kind === "timeout") throw new UserError("Nobody approved it in time.", "Run ai-dev-agent login again.");
    const proof = { kind: "loopback", loginId, code: came.code, verifier };
    const taken = await ask(server, "/machine/login/token", { body: proof, schema: machineLoginBodySchema });
    if (!taken.ok) throw toError(taken, server);
    return { signedIn: taken.value, offered: came.browserKey === null ? null : { key: came.browserKey, isHanded: true } };
  } finally {
    await loopback.close();
  }
}

async function byDevice(server: string, machine: Machine): Promise<Approved> {
  const begun = await ask(server, "/machine/login/device", { body: { machine }, schema: deviceLoginBodySchema });
  if (!begun.ok) throw toError(begun, server);
  const { deviceCode, userCode, url, expiresInMs, intervalMs } = begun.value;
  remark(`On any device, open   ${url}\nand type the code     ${paint("strong", userCode)}`);
  remark(paint("faint", "Waiting for your approval … (Ctrl-C gives up)"));
  const deadline = performance.now() + expiresInMs;
  let pauseMs = intervalMs;
  while (performance.now() < deadline) {
    await wait(pauseMs);
    const taken = await ask(server, "/machine/login/token", { body: { kind: "device", deviceCode }, schema: machineLoginBodySchema });
    if (taken.ok) {
      const { browserKey } = taken.value;
      return { signedIn: taken.value, offered: browserKey === undefined ? null : { key: browserKey, isHanded: false } };
    }
    if (taken.code === "login_slow_down" || taken.code === "rate_limited") pauseMs = taken.retryAfterMs ?? pauseMs + SLOW_DOWN_MS;
    // A network that fails for a moment ends nothing: the code is good until it expires.
    else if (taken.code !== "login_pending" && taken.code !== "unreachable" && taken.code !== "unavailable") throw toError(taken, server);
  }
  throw new UserError("Nobody approved it in time.", "Run ai-dev-agent login --device again.");
}
