import { line } from '@belay/platform';
import { z } from 'zod';

export const id = z.uuid();

/** Made once: to make a schema costs far more than to check by it. */
const guid = z.guid();

/**
 * The name by which people call a warehouse, a place, a SKU or a lot. It is kept and answered as it was given, and found
 * whatever its case. An id is no code: wherever one is asked for, either can be given.
 */
export const code = line(64)
  .refine((text) => !guid.safeParse(text).success, 'must not look like an id')
  .describe('Unique whatever its case; kept as it is given');

export const idOrCode = line(64).describe('Its id or its code');

/** What was given as an id or as a code: the one, null for the other. */
export function idOrCodeOf(given: string): [string | null, string | null] {
  return guid.safeParse(given).success ? [given, null] : [null, given];
}

/** Ids and codes apart, each at its place, as statements that look things up take them; an empty place finds nothing. */
export function idsAndCodes(given: readonly (string | null | undefined)[]): [(string | null)[], (string | null)[]] {
  const isId = given.map((one) => guid.safeParse(one).success);
  return [
    given.map((one, n) => (isId[n] === true ? (one ?? null) : null)),
    given.map((one, n) => (isId[n] === true ? null : (one ?? null))),
  ];
}

/** Base units: pieces, or grams of what is weighed. JSON carries them exactly. */
export const units = z.int().min(0);
export const someUnits = z.int().positive();

/** One or more of something, as many as the database's integer holds. */
export const count = z.int().positive().max(2_147_483_647);

/** A calendar day of the warehouse. */
export const day = z.iso.date();
export const instant = z.iso.datetime({ offset: true });

/** A number that must not lose a digit, as text: at most so many digits before and after the point. */
export function decimal(whole: number, fraction: number) {
  return z
    .string()
    .regex(
      new RegExp(`^-?\\d{1,${whole}}(\\.\\d{1,${fraction}})?$`),
      `must be a number in quotes, with at most ${fraction} decimals`,
    );
}

/** As `decimal`, zero or more. */
export function positiveDecimal(whole: number, fraction: number) {
  return decimal(whole, fraction).refine((text) => !text.startsWith('-'), 'must not be negative');
}

export const currency = z
  .string()
  .regex(/^[A-Z]{3}$/, 'must be an ISO 4217 currency such as GBP')
  .describe('ISO 4217');

/** A version of a row, which is also its ETag. */
export const rowVersion = z.int();
