import { availableParallelism, loadavg } from 'node:os';

/** How much longer things take because others work on the machine too; 1 when nobody does. */
export function slowness(): number {
  return Math.max(1, (loadavg()[0] ?? 0) / availableParallelism());
}
