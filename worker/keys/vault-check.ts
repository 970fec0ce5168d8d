/** Whether stored secrets could be opened: the operator's keys are there and can be read. Opens nothing. */
import { fingerprintKey, kekRing } from "./kek.ts";

/** Throws where they could not. */
export async function checkVault(env: Env): Promise<void> {
  await kekRing(env);
  fingerprintKey(env).fill(0);
}
