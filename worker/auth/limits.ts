/** How often someone may try: per account and address, per account from everywhere, per address for all accounts. */
import { SIGN_IN_ACCOUNT_RULE, SIGN_IN_ADDRESS_RULE, SIGN_IN_RULE, SIGN_UP_ADDRESS_RULE } from "../config.ts";
import { clientAddress, takeRate } from "../middleware/rate-limit.ts";

export async function limitSignIn(env: Env, request: Request, email: string): Promise<void> {
  const account = email.toLowerCase();
  const address = clientAddress(request);
  await takeRate(env, SIGN_IN_RULE, `${account} ${address ?? "local"}`);
  if (address !== null) await takeRate(env, SIGN_IN_ADDRESS_RULE, address);
  await takeRate(env, SIGN_IN_ACCOUNT_RULE, account);
}

export async function limitSignUp(env: Env, request: Request): Promise<void> {
  const address = clientAddress(request);
  if (address !== null) await takeRate(env, SIGN_UP_ADDRESS_RULE, address);
}
