/** This browser's signing key as the screen needs it: what may be shown of it, and how it is made. What signs is loaded here only. */
import { useQuery } from "@tanstack/react-query";
import type { BrowserKey } from "@ai-dev-platform/protocol/machine-login";
import { fingerprintOf } from "@ai-dev-platform/protocol/signed-text";

export interface ShownKey extends BrowserKey {
  keyId: string;
  /** Compared by people: `7K2M-9QXC-04TB-WZ5H`. */
  fingerprint: string;
}

const shown = ({ keyId, publicKey, name }: { keyId: string; publicKey: string; name: string }): ShownKey => ({
  keyId,
  publicKey,
  name,
  fingerprint: fingerprintOf(keyId),
});

const loadKey = async (userId: string): Promise<ShownKey | null> => {
  const { findKey } = await import("./key-store.ts");
  const key = await findKey(userId);
  return key === null ? null : shown(key);
};

/** `null`: this browser has none yet for this account. */
export const useBrowserKey = (userId: string | undefined) =>
  useQuery({
    queryKey: ["browser-key", userId],
    enabled: userId !== undefined,
    queryFn: () => loadKey(userId ?? ""),
    staleTime: Number.POSITIVE_INFINITY,
  });

/** `null`: this browser cannot make one (Ed25519 is missing), or keeps nothing. */
export async function makeBrowserKey(userId: string): Promise<ShownKey | null> {
  const { ensureKey } = await import("./key-store.ts");
  const made = await ensureKey(userId);
  return made.ok ? shown(made.key) : null;
}

/** With this browser's own key, whatever the server put there: the key goes to that computer and not through the server. */
export function withBrowserKey(address: string, key: BrowserKey | null): string {
  const url = new URL(address);
  url.searchParams.delete("key");
  url.searchParams.delete("key_name");
  if (key !== null && url.searchParams.has("code")) {
    url.searchParams.set("key", key.publicKey);
    url.searchParams.set("key_name", key.name);
  }
  return url.href;
}
