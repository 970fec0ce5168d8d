/** The gate of a runner that a person's own machine started; told by that machine, in a place where no server speaks. */
import path from "node:path";
import { appendAudit } from "../../machine/audit.ts";
import { SIGNING_VARIABLE } from "../../machine/pins/pin-store.ts";
import type { AuditCommand } from "./admitted.ts";
import { SignatureGate } from "./gate.ts";

/** A server that orders without end must not push older lines out of the log. */
const MAX_REFUSALS_PER_MINUTE = 30;
const MINUTE_MS = 60_000;

export function gateFor(env: NodeJS.ProcessEnv, run: { sessionId: string; incarnation: number }): SignatureGate | undefined {
  const signing = env[SIGNING_VARIABLE];
  if (signing === undefined || signing === "") return undefined;
  return new SignatureGate({ ...run, signing, now: Date.now, audit: auditIn(path.dirname(signing), run.sessionId, Date.now) });
}

export function auditIn(dataDir: string, sessionId: string, now: () => number): AuditCommand {
  let window = { since: 0, refusals: 0 };
  return (kind, fields) => {
    if (kind === "command_refused") {
      if (now() - window.since >= MINUTE_MS) window = { since: now(), refusals: 0 };
      window.refusals += 1;
      if (window.refusals === MAX_REFUSALS_PER_MINUTE) return appendAudit(dataDir, { kind: "refusals_omitted", fields: { sessionId } });
      if (window.refusals > MAX_REFUSALS_PER_MINUTE) return;
    }
    appendAudit(dataDir, { kind, fields: { sessionId, ...fields } });
  };
}
