/**
 * Deleting an account (SPEC AC1): locked first, then everything of it, its sign-in last. Each step may be repeated, so that what
 * broke off is finished by asking again; the lock keeps the account from making anything new meanwhile.
 */
import { apiAccount } from "../api/account.ts";
import { destroySecrets, findDeletingAccount, listSessionIdsOfUser, lockAccount, removeAccountRows, removeSignIn } from "../db/accounts.ts";
import { listOwnMachineIds } from "../db/machine-tokens.ts";
import { AppError } from "../errors.ts";
import { createLogger, errorFields } from "../log.ts";
import { removeAllImports } from "../snapshots/imports.ts";
import { userWebhooks } from "../webhooks/stub.ts";
import { signOutMachine } from "./machines.ts";
import { deleteSession } from "./session-lifecycle.ts";

const log = createLogger("account");

/** Sessions ended at the same time. */
const DELETE_AT_ONCE = 4;
/** A session that was being made while the account was locked shows up late; one that fails is tried again. */
const ROUNDS = 3;

export async function deleteAccount(env: Env, account: { userId: string; email: string }, now: number): Promise<void> {
  const { userId, email } = account;
  await lockAccount(env.DB, userId, now);
  // Spending ends here, whatever comes after.
  await destroySecrets(env.DB, userId);
  await deleteSessions(env, userId, now);
  for (const machineId of await listOwnMachineIds(env.DB, userId)) await signOutMachine(env, machineId, userId);
  // After the sessions, which may still have told something.
  await userWebhooks(env, userId).destroy();
  await apiAccount(env, userId).destroy();
  await removeAllImports(env.BUCKET, userId);
  await removeAccountRows(env.DB, userId);
  await removeSignIn(env.DB, userId, email);
  log.info("deleted", { userId });
}

/** Somebody has just shown this account's password: that finishes a deletion which broke off. True when there was one. */
export async function finishDeletion(env: Env, email: string, now: number): Promise<boolean> {
  const account = await findDeletingAccount(env.DB, email);
  if (account === null) return false;
  await deleteAccount(env, account, now);
  return true;
}

/** Each ends its runner, tells its hosts and removes its objects; what a host owes is the session's own to press for. */
async function deleteSessions(env: Env, userId: string, now: number): Promise<void> {
  for (let round = 0; round < ROUNDS; round += 1) {
    const sessionIds = await listSessionIdsOfUser(env.DB, userId);
    if (sessionIds.length === 0) return;
    for (let next = 0; next < sessionIds.length; next += DELETE_AT_ONCE) {
      const batch = sessionIds.slice(next, next + DELETE_AT_ONCE);
      await Promise.all(
        batch.map((sessionId) =>
          deleteSession(env, sessionId, userId, now).catch((error: unknown) =>
            log.warn("session_not_deleted", { sessionId, ...errorFields(error) }),
          ),
        ),
      );
    }
  }
  if ((await listSessionIdsOfUser(env.DB, userId)).length > 0)
    throw new AppError("unavailable", { detail: "Some sessions could not be deleted yet. Ask again to finish; the account is locked." });
}
