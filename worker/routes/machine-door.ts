/**
 * Who a machine is: the operator's, by the deployment's own token, or a person's, by the token of its sign-in. The token says
 * which machine it is; what the caller says counts only for the operator's. SPEC MA5.
 */
import { machineTokenHash } from "../auth/machine-token.ts";
import { findTokenOwner, machineOwner, recordTokenUse, type TokenOwner } from "../db/machine-tokens.ts";
import { readSecret } from "../env.ts";
import { AppError } from "../errors.ts";
import type { AppContext } from "../middleware/auth.ts";
import { secretsEqual } from "../shares/link-secret.ts";
import { bearerToken } from "./socket-door.ts";

/** The person's machine that calls, by its token. */
export async function requireOwnMachine(c: AppContext): Promise<TokenOwner> {
  const token = bearerToken(c.req.raw);
  const tokenHash = token === null ? null : await machineTokenHash(token);
  const owner = tokenHash === null ? null : await findTokenOwner(c.env.DB, tokenHash);
  if (owner === null) throw new AppError("machine_token_refused");
  await recordTokenUse(c.env.DB, owner.tokenHash, Date.now());
  return owner;
}

/** The person whose machine dials its control socket; null for the operator's. Throws when it is neither. */
export async function judgeDial(c: AppContext, machineId: string): Promise<string | null> {
  const token = bearerToken(c.req.raw);
  if (token !== null && (await machineTokenHash(token)) !== null) {
    const owner = await requireOwnMachine(c);
    if (owner.machineId !== machineId) throw new AppError("bad_request", { detail: "machine: not the machine of this token" });
    return owner.userId;
  }
  if (token === null || !(await secretsEqual(token, readSecret(c.env, "MACHINE_TOKEN")))) {
    throw new AppError("not_signed_in", { detail: "The machine token is missing or wrong." });
  }
  // A person's sessions are pinned to their machine's id: the deployment's token does not open it.
  if ((await machineOwner(c.env.DB, machineId)) !== null) throw new AppError("forbidden", { detail: "machine: it is somebody's own" });
  return null;
}
