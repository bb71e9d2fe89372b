import type { z, ZodType } from 'zod';
import { jobName, type JobType } from './job-type.js';
import type { RunningJob } from './running-job.js';

export interface CronDeclaration {
  /** Unique in the domain. */
  readonly name: string;
  /** Five fields, or six with seconds first. */
  readonly cron: string;
  /** IANA name; UTC when left out. */
  readonly timeZone?: string;
  /** Sub-flag without which a slot is left out. */
  readonly feature?: string;
  readonly attempts?: number;
}

/** A fact, as the domain that listens sees it. */
export interface DeliveredEvent<Body> {
  /** The same in every delivery; what `Inbox.once` is asked with. */
  readonly id: string;
  readonly name: string;
  readonly body: Body;
  readonly occurredAt: Date;
}

export type HandlerDeclaration =
  | { readonly kind: 'job'; readonly type: JobType }
  | { readonly kind: 'cron'; readonly cron: CronDeclaration }
  | { readonly kind: 'event'; readonly event: string; readonly body: ZodType; readonly feature: string | undefined };

const declarations = new WeakMap<object, HandlerDeclaration>();

/** What a method was declared to handle. */
export function handlerDeclaration(method: object): HandlerDeclaration | undefined {
  return declarations.get(method);
}

type Handler<Input> = (input: Input, job: RunningJob) => Promise<void>;

type HandlerDecorator<Input> = <Method extends Handler<Input>>(
  prototype: object,
  key: string | symbol,
  method: TypedPropertyDescriptor<Method>,
) => void;

/**
 * The method does this kind of job. It may be called again for a job it has done or half done (a worker can die at any
 * point), so its effect must be the same once or twice. A thrown `Problem` makes the job a dead letter at once, unless
 * the problem is that something is unavailable; any other error is tried again.
 *
 * The class is a provider of the domain's jobs module, as with `@CronJob` and `@Consumes`.
 */
export function Job<Payload extends ZodType>(type: JobType<Payload>): HandlerDecorator<z.output<Payload>> {
  return handles({ kind: 'job', type });
}

/** The method is called once for each slot of the schedule, however many workers there are, with the slot's time. */
export function CronJob(cron: CronDeclaration): HandlerDecorator<Date> {
  return handles({ kind: 'cron', cron: { ...cron, name: jobName(cron.name) } });
}

/**
 * The method hears of the event, which the manifest must list under `listens`. It is delivered at least once and in no
 * promised order; `Inbox.once` in the method's transaction makes the effect exactly once. `body` reads only what the
 * method needs. Without the `feature`'s flag the event waits.
 */
export function Consumes<Body extends ZodType>(
  event: string,
  body: Body,
  { feature }: { feature?: string } = {},
): HandlerDecorator<DeliveredEvent<z.output<Body>>> {
  return handles({ kind: 'event', event, body, feature });
}

function handles<Input>(declaration: HandlerDeclaration): HandlerDecorator<Input> {
  return (_prototype, _key, { value }) => {
    if (value) declarations.set(value, declaration);
  };
}
