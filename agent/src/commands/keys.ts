/** `keys`: the browsers that this computer listens to. What is removed here counts no more at once, also in sessions that run. */
import { machineBrowserKeysSchema } from "@ai-dev-platform/protocol/machine-login";
import { fingerprintOf, isSameFingerprint } from "@ai-dev-platform/protocol/signed-text";
import { ask } from "../machine/platform-api.ts";
import { addPin, allowsUnsigned, keyIdOf, listPins, removePin, signingDir, type Pin } from "../machine/pins/pin-store.ts";
import { serverDir } from "../machine/server-dir.ts";
import { answer, paint, remark } from "../output.ts";
import { defineCommand, UserError, type Command } from "./command.ts";
import { EXIT } from "./exit-codes.ts";
import { DATA_OPTION, dataDirOf, JSON_OPTION, requireLogin, SERVER_OPTION, toError } from "./signed-in.ts";

const OPTIONS = { server: SERVER_OPTION, data: DATA_OPTION, json: JSON_OPTION } as const;
const ACTIONS = ["list", "add", "remove"] as const;
type Action = (typeof ACTIONS)[number];
interface Place {
  server: string;
  token: string;
  folder: string;
}

export const keys: Command = {
  name: "keys",
  summary: "browsers that this computer listens to: list, add FINGERPRINT, remove FINGERPRINT",
  options: OPTIONS,
  run: (words) => {
    const first = words.findIndex((word) => word.startsWith("-"));
    const [name = "list", target = "", ...more] = first === -1 ? words : words.slice(0, first);
    const action = ACTIONS.find((one) => one === name);
    if (action === undefined || more.length > 0 || (action !== "list" && target === ""))
      throw new UserError("Say what to do: list, add FINGERPRINT or remove FINGERPRINT.", "See ai-dev-agent keys --help.");
    return commandFor(action, target).run(first === -1 ? [] : words.slice(first));
  },
};

const commandFor = (action: Action, target: string): Command =>
  defineCommand({
    name: "keys",
    summary: "",
    options: OPTIONS,
    run: async (values) => {
      const dataDir = dataDirOf(values.data);
      const { server, token } = requireLogin(values.server, dataDir);
      const place: Place = { server, token, folder: serverDir(dataDir, server) };
      if (action === "list") return list(place, values.json);
      const pin = action === "add" ? await add(place, target) : remove(place, target);
      if (values.json) answer(JSON.stringify({ ok: true, ...shown(pin) }));
      else
        answer(action === "add" ? `This computer listens to ${pin.name} now.` : `This computer does not listen to ${pin.name} any more.`);
      return EXIT.ok;
    },
  });

const shown = ({ keyId, name, pinnedAt, origin }: Pin) => ({ keyId, fingerprint: fingerprintOf(keyId), name, pinnedAt, origin });

function list({ folder }: Place, isJson: boolean): number {
  const pins = listPins(signingDir(folder));
  if (isJson) answer(JSON.stringify({ keys: pins.map(shown), unsigned: allowsUnsigned(folder) }));
  else for (const pin of pins) answer(`${fingerprintOf(pin.keyId)}  ${new Date(pin.pinnedAt).toISOString().slice(0, 10)}  ${pin.name}`);
  if (!isJson && pins.length === 0)
    remark("No browser is pinned. Show one's fingerprint in Settings, Machines; then: ai-dev-agent keys add FINGERPRINT");
  if (!isJson && allowsUnsigned(folder))
    remark(paint("bad", "Unsigned commands are done, too (login --unsigned). Sign in again without it to end that."));
  return EXIT.ok;
}

/** The server only brings candidates: which of them is the browser, the person's fingerprint decides. */
async function add({ server, token, folder }: Place, typed: string): Promise<Pin> {
  const told = await ask(server, "/machine/browser-keys", { token, schema: machineBrowserKeysSchema });
  if (!told.ok) throw toError(told, server);
  const key = told.value.keys.find(({ publicKey }) => isSameFingerprint(typed, fingerprintOf(keyIdOf(publicKey))));
  if (key !== undefined) return addPin(signingDir(folder), { publicKey: key.publicKey, name: key.name, origin: "by_hand" }, Date.now());
  throw new UserError("No browser of yours has this fingerprint.", "Open Settings, Machines in that browser, and copy what it shows.");
}

function remove({ folder }: Place, typed: string): Pin {
  const signing = signingDir(folder);
  const pin = listPins(signing).find(({ keyId }) => keyId === typed || isSameFingerprint(typed, fingerprintOf(keyId)));
  if (pin === undefined) throw new UserError("No pinned browser has this fingerprint.", "See ai-dev-agent keys list.");
  removePin(signing, pin.keyId);
  return pin;
}
