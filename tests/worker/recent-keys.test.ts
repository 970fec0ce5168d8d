import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { Secret } from "../../worker/keys/secret.ts";
import { destroyKey, lendKeyOf, storeKey } from "../../worker/keys/vault.ts";
import { testApiKey } from "../support/worker/app-client.ts";

const lend = (userId: string, bindings: Env = env) => lendKeyOf(bindings, userId, "anthropic", () => undefined);
const store = async (userId: string) => {
  const apiKey = testApiKey();
  const { keyId } = await storeKey(env, userId, new Secret(apiKey), []);
  return { apiKey, keyId };
};

/** The same bindings, with a count of what the database is asked. */
function counted(): { bindings: Env; asked(): number } {
  let asked = 0;
  const DB = new Proxy(env.DB, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      if (name === "prepare") asked += 1;
      return value.bind(target);
    },
  });
  return { bindings: { ...env, DB }, asked: () => asked };
}

describe("keys that were read a moment ago", () => {
  it("[OA6] are not read again for the calls that follow", async () => {
    await store("usr_recent_1");
    await lend("usr_recent_1");
    const { bindings, asked } = counted();
    for (let n = 0; n < 5; n += 1) expect(await lend("usr_recent_1", bindings)).toMatchObject({ ok: true });
    expect(asked()).toBe(0);
  });

  it("are forgotten when they are replaced or destroyed here, and belong to their owner", async () => {
    await store("usr_recent_2");
    await lend("usr_recent_2");
    const { apiKey, keyId } = await store("usr_recent_2");
    const lent = await lend("usr_recent_2");
    expect(lent.ok && lent.secret.reveal()).toBe(apiKey);
    expect(await lend("usr_recent")).toEqual({ ok: false, code: "key_missing" });
    await destroyKey(env, "usr_recent_2", keyId);
    expect(await lend("usr_recent_2")).toEqual({ ok: false, code: "key_missing" });
  });
});
