/**
 * What an hour of a sandbox costs, in US dollars at Cloudflare's list price. Pure, without zod: the screen shows it, the
 * session meters by it. Memory and disk are billed as provided, processors as used.
 */
import type { SandboxSize } from "./modes.ts";

export interface SandboxSpec {
  vcpus: number;
  memoryGib: number;
  diskGb: number;
}

export const SANDBOX_SPECS: Record<SandboxSize, SandboxSpec> = {
  "standard-1": { vcpus: 0.5, memoryGib: 4, diskGb: 8 },
  "standard-2": { vcpus: 1, memoryGib: 6, diskGb: 12 },
  "standard-3": { vcpus: 2, memoryGib: 8, diskGb: 16 },
  "standard-4": { vcpus: 4, memoryGib: 12, diskGb: 20 },
};

const USD_PER_GIB_SECOND = 0.0000025;
const USD_PER_GB_SECOND = 0.00000007;
const USD_PER_VCPU_SECOND = 0.00002;

/** `cpuShare` is the part of its processors that is in use, 0 to 1. */
export function sandboxCostUsd(size: SandboxSize, seconds: number, cpuShare: number): number {
  const { vcpus, memoryGib, diskGb } = SANDBOX_SPECS[size];
  return seconds * (memoryGib * USD_PER_GIB_SECOND + diskGb * USD_PER_GB_SECOND + vcpus * cpuShare * USD_PER_VCPU_SECOND);
}

/** An hour at rest and an hour with every processor busy: what one pays lies between. */
export const sandboxHourUsd = (size: SandboxSize): { idle: number; busy: number } => ({
  idle: sandboxCostUsd(size, 3_600, 0),
  busy: sandboxCostUsd(size, 3_600, 1),
});
