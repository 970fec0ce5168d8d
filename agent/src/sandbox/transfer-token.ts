/**
 * The token that the files process shows for a snapshot's parts (SPEC SN8). That process runs as the agent's user, which might
 * read its memory: it is never given the runner's token. The server makes the same one (worker/session/tokens.ts).
 */
import { createHash } from "node:crypto";

export const transferTokenOf = (runnerToken: string): string =>
  `adpx_${createHash("sha256").update(`transfer:${runnerToken}`).digest("hex")}`;
