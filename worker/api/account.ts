/** The way to a user's API account. */
import type { ApiAccountDO } from "./account-do.ts";

export const apiAccount = (env: Env, userId: string): DurableObjectStub<ApiAccountDO> => env.API_ACCOUNT.getByName(userId);
