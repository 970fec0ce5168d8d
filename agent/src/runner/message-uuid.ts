/** The uuid under which the agent knows a prompt: derived, so that the same prompt is always the same message. */
import { createHash } from "node:crypto";

export function messageUuidOf(promptId: string): string {
  const hex = createHash("sha256").update(promptId).digest("hex");
  const variant = "89ab"[Number.parseInt(hex.slice(16, 17), 16) % 4];
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
