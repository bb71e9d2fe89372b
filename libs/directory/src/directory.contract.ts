import { z } from 'zod';

/** The short name by which people call a site or a team. */
export const code = z
  .string()
  .trim()
  .toUpperCase()
  .regex(/^[A-Z0-9][A-Z0-9-]{0,31}$/, 'must be letters, digits and hyphens, at most 32')
  .describe('Unique; letters, digits and hyphens');

export const id = z.uuid();
