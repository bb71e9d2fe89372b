const FIRST_MS = 1_000;
const LONGEST_MS = 30_000;

/** How long to wait before the next attempt: doubling, with full jitter. `random` is from 0 up to, not including, 1. */
export function backoffMs(failures: number, random: number): number {
  return random * Math.min(LONGEST_MS, FIRST_MS * 2 ** (failures - 1));
}

/** The same after a connection that broke: databases that end sessions are there again soon. */
export function breakMs(failures: number): number {
  return Math.min(2_000, 200 * failures);
}
