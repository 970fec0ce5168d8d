/**
 * The certificate authority of an intercepted network: waited for, then trusted by the whole container. Without it every HTTPS
 * call of the agent would fail. The platform makes a new one for each container.
 */
import { access, appendFile, readFile } from "node:fs/promises";
import { setTimeout as wait } from "node:timers/promises";

export interface TrustFiles {
  authority: string;
  /** What programs of the distribution trust. */
  bundle: string;
}

export const TRUST_FILES: TrustFiles = {
  authority: "/etc/cloudflare/certs/cloudflare-containers-ca.crt",
  bundle: "/etc/ssl/certs/ca-certificates.crt",
};

/** The platform puts the file in place while the container boots. */
const AUTHORITY_WAIT_MS = 5_000;
const POLL_MS = 50;

/** Whether the authority came, and is trusted from now on. */
export async function trustAuthority({ authority, bundle }: TrustFiles, waitMs: number = AUTHORITY_WAIT_MS): Promise<boolean> {
  if (!(await arrives(authority, waitMs))) return false;
  const [added, trusted] = await Promise.all([readFile(authority, "utf8"), readFile(bundle, "utf8").catch(() => "")]);
  if (!trusted.includes(added.trim())) await appendFile(bundle, `\n${added.trim()}\n`);
  return true;
}

async function arrives(file: string, waitMs: number): Promise<boolean> {
  const deadline = performance.now() + waitMs;
  for (;;) {
    const isThere = await access(file).then(
      () => true,
      () => false,
    );
    if (isThere) return true;
    if (performance.now() >= deadline) return false;
    await wait(POLL_MS);
  }
}
