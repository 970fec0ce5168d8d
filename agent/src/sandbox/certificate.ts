/** Waits for the certificate authority of an intercepted network: without it every HTTPS call of the agent would fail. */
import { access } from "node:fs/promises";
import { setTimeout as wait } from "node:timers/promises";

/** The platform puts the file in place while the container boots; the image's own server waits as long. */
const CERTIFICATE_WAIT_MS = 5_000;
const POLL_MS = 50;

/** Whether the file is there. */
export async function certificateArrived(file: string, waitMs: number = CERTIFICATE_WAIT_MS): Promise<boolean> {
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
