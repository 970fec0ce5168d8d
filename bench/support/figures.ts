/** Medians and ratios, printed one way. */
export const median = (values: readonly number[]): number => quantile(values, 0.5);

export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
}

export const show = (name: string, values: readonly number[], unit = "ms"): void =>
  console.log(
    `${name.padEnd(52)} median ${median(values).toFixed(2).padStart(9)} ${unit}   p95 ${quantile(values, 0.95).toFixed(2).padStart(9)} ${unit}   n ${values.length}`,
  );
