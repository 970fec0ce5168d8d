/** What a check found, and the few numbers made of it. Pure. */

/** `ok`: as promised. `failed`: not. `known`: not, and the threat model says so. `skipped`: this deployment cannot show it, and why. */
export interface Finding {
  check: string;
  verdict: "ok" | "failed" | "known" | "skipped";
  detail: string;
}

/** Nearest rank, so that a percentile is always a time that was measured. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)];
  if (value === undefined) throw new Error("There is no percentile of nothing.");
  return value;
}

export const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;

export const speed = (bytes: number, ms: number): string => `${(bytes / 1_000_000 / Math.max(ms / 1_000, 0.001)).toFixed(1)} MB/s`;

/** A key of Anthropic's, as it would look wherever it leaked to. */
export const KEY_PATTERN = /sk-ant-[a-z0-9]+-[\w-]{20,}/;

const MARKS = { ok: "ok  ", failed: "FAIL", known: "gap ", skipped: "n/a " } as const;

export const line = ({ check, verdict, detail }: Finding): string => `${MARKS[verdict]} ${check}: ${detail}`;

export function summary(findings: readonly Finding[]): string {
  const count = (verdict: Finding["verdict"]) => findings.filter((finding) => finding.verdict === verdict).length;
  return `${count("ok")} as promised, ${count("failed")} not, ${count("known")} known gaps, ${count("skipped")} not to be shown here`;
}
