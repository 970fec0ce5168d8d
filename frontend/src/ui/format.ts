/** Numbers, amounts and times as people read them. Pure; the locale is the browser's. */
const usd = new Intl.NumberFormat(undefined, { style: "currency", currency: "USD", minimumFractionDigits: 2, maximumFractionDigits: 2 });
const smallUsd = new Intl.NumberFormat(undefined, {
  style: "currency",
  currency: "USD",
  minimumFractionDigits: 4,
  maximumFractionDigits: 4,
});
const count = new Intl.NumberFormat();
const compact = new Intl.NumberFormat(undefined, { notation: "compact", maximumFractionDigits: 1 });
const percent = new Intl.NumberFormat(undefined, { style: "percent", maximumFractionDigits: 0 });
const decimal = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const dayOfYear = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric" });
const ago = new Intl.RelativeTimeFormat(undefined, { numeric: "auto", style: "short" });
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** Amounts under a cent keep four places, so that a cheap turn does not read as free. */
export const formatUsd = (amount: number): string => (amount > 0 && amount < 0.01 ? smallUsd : usd).format(amount);
export const formatCount = (value: number): string => count.format(value);
export const formatCompact = (value: number): string => compact.format(value);
/** `share` is 0 to 1. */
export const formatPercent = (share: number): string => percent.format(share);

export function formatBytes(bytes: number): string {
  const units = ["B", "KB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1_000 && unit < units.length - 1) {
    value /= 1_000;
    unit += 1;
  }
  return `${decimal.format(unit === 0 ? Math.round(value) : value)} ${units[unit]}`;
}

/** "0.2s", "12s", "4m 12s", "3h 5m", "2d 4h". */
export function formatDuration(durationMs: number): string {
  const ms = Math.max(0, durationMs);
  if (ms < 10 * SECOND_MS) return `${(ms / SECOND_MS).toFixed(1)}s`;
  if (ms < MINUTE_MS) return `${Math.floor(ms / SECOND_MS)}s`;
  if (ms < HOUR_MS) return `${Math.floor(ms / MINUTE_MS)}m ${Math.floor((ms % MINUTE_MS) / SECOND_MS)}s`;
  if (ms < DAY_MS) return `${Math.floor(ms / HOUR_MS)}h ${Math.floor((ms % HOUR_MS) / MINUTE_MS)}m`;
  return `${Math.floor(ms / DAY_MS)}d ${Math.floor((ms % DAY_MS) / HOUR_MS)}h`;
}

/** "now", "2m", "3h", "5d", then the date. */
export function formatAge(at: number, now: number): string {
  const age = Math.max(0, now - at);
  if (age < MINUTE_MS) return "now";
  if (age < HOUR_MS) return `${Math.floor(age / MINUTE_MS)}m`;
  if (age < DAY_MS) return `${Math.floor(age / HOUR_MS)}h`;
  if (age < 7 * DAY_MS) return `${Math.floor(age / DAY_MS)}d`;
  return formatDay(at, now);
}

/** "now", "2 min. ago", "3 hr. ago", "yesterday", then the date. */
export function formatAgo(at: number, now: number): string {
  const age = Math.max(0, now - at);
  if (age < MINUTE_MS) return ago.format(0, "second");
  if (age < HOUR_MS) return ago.format(-Math.floor(age / MINUTE_MS), "minute");
  if (age < DAY_MS) return ago.format(-Math.floor(age / HOUR_MS), "hour");
  if (age < 7 * DAY_MS) return ago.format(-Math.floor(age / DAY_MS), "day");
  return formatDay(at, now);
}

export function formatDay(at: number, now: number): string {
  return (new Date(at).getFullYear() === new Date(now).getFullYear() ? day : dayOfYear).format(at);
}

export const formatExact = (at: number): string => exact.format(at);
