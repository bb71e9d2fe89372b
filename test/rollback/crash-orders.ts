import { z } from 'zod';
import { journalPoints } from '../../libs/rollback/src/engine/journal-point.js';

const kill = z.object({
  point: z.enum(journalPoints),
  idx: z.number(),
  /** The process with SIGKILL, or every session it has with the databases. */
  how: z.enum(['process', 'sessions']),
  /** Only for sessions: into whatever comes after the point. */
  afterMs: z.number(),
});
export type Kill = z.infer<typeof kill>;

const worldOrder = z.object({
  env: z.record(z.string(), z.string()),
  runId: z.string(),
  kills: z.array(kill),
});
export type WorldOrder = z.infer<typeof worldOrder>;

export const orders = z.object({
  worlds: z.array(worldOrder),
  timing: z.object({ leaseTtlMs: z.number(), heartbeatMs: z.number(), pollMs: z.number() }),
});
export type Orders = z.infer<typeof orders>;

export const report = z.union([
  z.strictObject({ ready: z.literal(true) }),
  /** Stands at the point of its kill of that number, counted from one. */
  z.strictObject({ place: z.number(), reached: z.number(), at: z.number() }),
  z.strictObject({ place: z.number(), cut: z.number(), at: z.number() }),
  z.strictObject({ place: z.number(), ended: z.string() }),
  /** From now on an executor is there that can go on. */
  z.strictObject({ place: z.number(), standing: z.number() }),
]);
export type Report = z.infer<typeof report>;
