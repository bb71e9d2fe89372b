import type { ZodType } from 'zod';

/** Work that a domain does later. Declared once and imported by who asks for it and by who does it. */
export interface JobType<Payload extends ZodType = ZodType> {
  readonly domain: string;
  readonly name: string;
  readonly payload: Payload;
  readonly version: number;
  /** Sub-flag without which the job waits; the domain's own flag is needed in any case. */
  readonly feature: string | undefined;
  readonly attempts: number;
  readonly backoffMs: number;
}

export interface JobDeclaration<Payload extends ZodType> {
  readonly domain: string;
  /** Kebab-case, unique in the domain, permanent: waiting jobs carry it. */
  readonly name: string;
  /** Must read what every earlier version wrote, because such jobs may still wait. */
  readonly payload: Payload;
  /** Raised whenever older code cannot read what is written now; older workers then leave the job to newer ones. */
  readonly version?: number;
  readonly feature?: string;
  /** How often it is tried before it becomes a dead letter. */
  readonly attempts?: number;
  /** The wait after the first failure; it doubles with every further one, and a random half of it is left out. */
  readonly backoffMs?: number;
}

/** Ten attempts by default, which spread over about a quarter of an hour. */
export function jobType<Payload extends ZodType>(declaration: JobDeclaration<Payload>): JobType<Payload> {
  const { version = 1, attempts = 10, backoffMs = 1_000, feature } = declaration;
  return { ...declaration, name: jobName(declaration.name), version, attempts, backoffMs, feature };
}

/** Names end up in job ids, which may not hold a colon nor be a number. */
export function jobName(name: string): string {
  if (/^[a-z][a-z0-9-]{0,62}$/.test(name)) return name;
  throw new Error(`"${name}" is no name for a job: lower-case letters, digits and hyphens only`);
}
