/**
 * What a sandbox's time costs its owner, in US dollars at list price. Pure. An estimate: processors are billed by use,
 * which nobody tells us, and a session's share of the included amounts is unknown.
 */
import type { SandboxSize } from "@ai-dev-platform/protocol/modes";
import { sandboxCostUsd } from "@ai-dev-platform/protocol/sandbox-price";

/** Part of its processors that a sandbox uses on average: an agent waits for its model most of the time. */
const CPU_SHARE = 0.25;
/** The session's object and the sandbox's own are awake while it runs: 0.128 GB each at $12.50 per million GB-seconds. */
const OBJECTS = 2;
const OBJECT_USD_PER_SECOND = 0.128 * 0.0000125;

export const hostCostUsd = (size: SandboxSize, seconds: number): number =>
  sandboxCostUsd(size, seconds, CPU_SHARE) + OBJECTS * seconds * OBJECT_USD_PER_SECOND;
