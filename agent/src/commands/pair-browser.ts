/**
 * Which browser this computer listens to after a sign-in (SPEC SG3). Over loopback the browser itself brought its key, past the
 * server. For a device the key came by the server: a person compares its fingerprint with the one that the browser shows.
 */
import { createInterface } from "node:readline/promises";
import type { BrowserKey } from "@ai-dev-platform/protocol/machine-login";
import { fingerprintOf, isSameFingerprint } from "@ai-dev-platform/protocol/signed-text";
import { addPin, keyIdOf, listPins, removePin, setAllowsUnsigned, signingDir } from "../machine/pins/pin-store.ts";
import { paint, remark } from "../output.ts";
import { UserError } from "./command.ts";

export type Offered = { key: BrowserKey; isHanded: boolean } | null;

export interface PairingChoice {
  /** The fingerprint that must be the browser's; undefined: a person is asked where one is needed. */
  pin: string | undefined;
  /** The person lets this computer do what the server asks, signed or not. */
  unsigned: boolean;
}

/** True: pin it. False: nobody could compare it. Throws when it is another key than the browser's. */
export async function judgeKey(offered: Offered, { pin }: PairingChoice): Promise<boolean> {
  if (offered === null) {
    if (pin !== undefined)
      throw new UserError("The browser gave no key, so it is not the one of --pin.", "Use a browser of this year, or leave --pin out.");
    return false;
  }
  const fingerprint = fingerprintOf(keyIdOf(offered.key.publicKey));
  if (pin !== undefined) {
    if (isSameFingerprint(pin, fingerprint)) return true;
    throw new UserError(`The key that came is ${fingerprint}, not the one of --pin. This computer was not signed in.`, DIFFERENT);
  }
  if (offered.isHanded) return true;
  remark(`The browser shows a fingerprint of its key. The key that came here is   ${paint("strong", fingerprint)}`);
  if (!process.stdin.isTTY) return false;
  if (await isYes("Is it the same, letter by letter? [y/N] ")) return true;
  throw new UserError("The fingerprints differ, so this computer was not signed in.", DIFFERENT);
}

const DIFFERENT =
  "If they really differ, something between the browser and this computer swapped the key. Tell the operator of the server.";

/** After a sign-in that holds. Pins of another person's sign-in go; those of the same person stay. */
export function settlePairing(
  serverDir: string,
  offered: Offered,
  settled: { isPinned: boolean; isSamePerson: boolean; unsigned: boolean },
): void {
  const signing = signingDir(serverDir);
  if (!settled.isSamePerson) for (const { keyId } of listPins(signing)) removePin(signing, keyId);
  setAllowsUnsigned(serverDir, settled.unsigned);
  if (offered !== null && settled.isPinned) {
    const { publicKey, name } = offered.key;
    addPin(signing, { publicKey, name, origin: "sign_in" }, Date.now());
    remark(`This computer does only what ${name} signs, and browsers that you add (ai-dev-agent keys).`);
  }
  if (settled.unsigned) return remark(paint("bad", "This computer does what the server asks, signed by your browser or not (--unsigned)."));
  if (listPins(signing).length > 0) return;
  remark(paint("bad", "No browser's key is pinned, so this computer will refuse everything that it is asked to do."));
  remark("Show your browser's fingerprint in Settings, Machines, then run: ai-dev-agent keys add FINGERPRINT");
}

async function isYes(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question(question)).trim());
  } finally {
    terminal.close();
  }
}
