import { z } from 'zod';

/** What a job carries in its queue, whichever the backend: the payload and where it comes from. */
export const jobEnvelope = z.object({
  version: z.number().int(),
  requestId: z.string(),
  payload: z.unknown(),
});
export type JobEnvelope = z.infer<typeof jobEnvelope>;

/** A fact on its way to one domain; the payload of its jobs. */
export const eventEnvelope = z.object({
  id: z.string(),
  name: z.string(),
  body: z.unknown(),
  occurredAt: z.string(),
});
export type EventEnvelope = z.infer<typeof eventEnvelope>;

/** A tick of a cron; the payload of its jobs. */
export const tick = z.object({ slot: z.iso.datetime() });

/** Event jobs are told from others by their name, which is that of the event: it holds a dot. */
export interface NewJob {
  readonly id: string;
  readonly name: string;
  readonly data: JobEnvelope;
  readonly attempts: number;
  readonly backoffMs: number;
  readonly delayMs?: number;
}
