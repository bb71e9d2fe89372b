import { z } from 'zod';

/** One line of text: trimmed, composed and without control characters. */
export function line(max: number) {
  return z
    .string()
    .normalize('NFC')
    .trim()
    .min(1)
    .max(max)
    .regex(/^\P{Cc}*$/u, 'must not hold control characters');
}

/** What a list is searched for; see `containing`. */
export const search = line(100).optional();

/** A filter of a query string; absent means both. */
export const yesOrNo = z
  .enum(['true', 'false'])
  .transform((text) => text === 'true')
  .optional();

/** What ILIKE looks for, with the signs that mean something to it taken literally. */
export function containing(text: string | undefined): string | null {
  return text === undefined ? null : `%${text.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;
}
