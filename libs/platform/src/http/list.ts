import { z, type ZodType } from 'zod';
import { InvalidRequest } from '../problem/problem.js';
import { isText } from './text.js';

/** Query of every list; a list with filters extends it: `page.extend({ siteId: z.uuid().optional() })`. */
export const page = z.strictObject({
  limit: z.coerce.number().int().min(1).max(200).default(50).describe('Items on a page'),
  cursor: z.string().max(2_000).optional().describe('`next` of the page before'),
});
export type Page = z.infer<typeof page>;

export interface List<Item> {
  readonly items: Item[];
  /** Cursor of the next page; null on the last. */
  readonly next: string | null;
}

/** Answer of a list. */
export function listOf<Item extends ZodType>(item: Item) {
  const list = z.object({
    items: z.array(item),
    next: z.string().nullable().describe('Cursor of the next page; null on the last'),
  });
  const name = item.meta()?.id;
  return name === undefined ? list : list.meta({ id: `${name}List` });
}

type Key = string | number | boolean | null;

/**
 * Makes a page of `limit + 1` rows that were read in the order of their keys: the extra row only tells that there is
 * more. `key` gives the values of the ORDER BY, ending with a unique one, so that rows inserted meanwhile neither
 * repeat nor hide others. An instant belongs in it as the database's text: a JavaScript Date loses its microseconds.
 */
export function listFrom<Row, Item>(
  rows: readonly Row[],
  limit: number,
  key: (row: Row) => readonly Key[],
  view: (row: Row) => Item,
): List<Item> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return { items: shown.map(view), next: rows.length > limit && last !== undefined ? encodeCursor(key(last)) : null };
}

/** Opaque to clients: where a page ended. */
export function encodeCursor(values: readonly Key[]): string {
  return Buffer.from(JSON.stringify(values)).toString('base64url');
}

/** The values a cursor was made of; undefined without a cursor, `invalid-request` when it is not one of ours. */
export function decodeCursor<Values>(cursor: string | undefined, shape: ZodType<Values>): Values | undefined {
  if (cursor === undefined) return undefined;
  const values = shape.safeParse(parsed(cursor));
  if (values.success) return values.data;
  throw new InvalidRequest([{ pointer: '?cursor', detail: 'is not a cursor of this list' }]);
}

function parsed(cursor: string): unknown {
  try {
    const values: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    return z.array(z.union([z.string().refine(isText), z.number(), z.boolean(), z.null()])).safeParse(values).data;
  } catch {
    return undefined;
  }
}
