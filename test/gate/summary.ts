/** The figures that promises are made of, in milliseconds. */
export function summary(values: readonly number[]): { n: number; p50: number; p99: number; max: number } {
  const sorted = values.toSorted((one, other) => one - other);
  const at = (share: number) => Math.round(sorted[Math.ceil(sorted.length * share) - 1] ?? NaN);
  return { n: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) };
}
