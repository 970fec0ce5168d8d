/** How much of an allowance is used: quiet, then a warning, then full. */
import { classes } from "./classes.ts";
import { formatPercent } from "./format.ts";

/** From this share on it warns. */
export const NEARLY_FULL = 0.9;

interface MeterProps {
  label: string;
  used: number;
  allowed: number;
  /** The same in words, for who cannot see it. */
  words: string;
}

export function Meter({ label, used, allowed, words }: MeterProps) {
  const share = used / allowed;
  return (
    <div
      // oxlint-disable-next-line jsx-a11y/prefer-tag-over-role -- the platform's meter cannot be styled alike everywhere
      role="meter"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={allowed}
      aria-valuenow={Math.min(used, allowed)}
      aria-valuetext={`${words}, ${formatPercent(share)}`}
      className="mt-1 h-2 overflow-hidden rounded-full border border-line bg-sunken"
    >
      <div
        className={classes("h-full rounded-full", share >= 1 ? "bg-bad" : share >= NEARLY_FULL ? "bg-warn" : "bg-ink")}
        style={{ width: `${Math.min(100, share * 100)}%` }}
      />
    </div>
  );
}
