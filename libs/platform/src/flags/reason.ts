import { z } from 'zod';

// Read by shape: an error of another realm is no instance of our Error.
const failure = z.object({ message: z.string(), code: z.string().optional().catch(undefined) });
const caused = z.object({ cause: failure });

/** Why it failed, in words for the log; of a failed request the reason behind it. */
export function reasonOf(error: unknown): string {
  const cause = caused.safeParse(error).data?.cause ?? failure.safeParse(error).data;
  if (!cause) return String(error);
  return cause.message === '' ? (cause.code ?? 'no reason given') : cause.message;
}

export function isMissing(error: unknown): boolean {
  return failure.safeParse(error).data?.code === 'ENOENT';
}
