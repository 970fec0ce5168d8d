/**
 * Where what happened in a session is told: the account of the token that began it, and the owner's webhooks. Resolves when both
 * have it for good; the session tells again until then, and the same id counts once.
 */
import { hasWebhooks } from "../db/webhooks.ts";
import type { Notices } from "../session/ports.ts";
import { userWebhooks } from "../webhooks/stub.ts";
import { apiAccount } from "./account.ts";

export const noticeBoard = (env: Env): Notices => ({
  async tell(ownerId, notices) {
    const account = apiAccount(env, ownerId);
    for (const { id, tokenId, costUsd } of notices) {
      if (tokenId !== null && costUsd > 0) await account.spend({ id, tokenId, costUsd });
    }
    const told = notices.flatMap(({ id, payload }) => (payload === null ? [] : [{ id, payload }]));
    if (told.length > 0 && (await hasWebhooks(env.DB, ownerId))) await userWebhooks(env, ownerId).enqueue(ownerId, told);
  },
});
