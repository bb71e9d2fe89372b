import type { Problem } from '@belay/platform';
import { z } from 'zod';
import type { Document } from './importer.service.js';
import type { FoundIssue } from './ledger-check.queries.js';

/** Problems name lines by their number, counted from 1, or by a pointer, counted from 0. */
const placed = z.object({
  line: z.int().optional(),
  pointer: z.string().optional(),
  detail: z.string().optional(),
});
const located = z.array(placed.loose());

const columns: Readonly<Record<string, string>> = {
  sku: 'SKU',
  lot: 'Shipment',
  location: 'Location',
  cartons: 'Cartons_In',
  note: 'Notes',
  reference: 'Reference_ID',
  effectiveAt: 'Timestamp',
  reverses: 'Reverses',
  storageCartonsPerPallet: 'storage_cartons_per_pallet',
  shippingCartonsPerPallet: 'shipping_cartons_per_pallet',
};

/** Which rows of the document are to blame for the problem: its first, when the problem is about all of it. */
export function issuesOf(problem: Problem, document: Document): FoundIssue[] {
  const { slug: code } = problem;
  const errors = located.safeParse(problem.members['errors']).data ?? [];
  if (errors.length === 0) {
    return [{ row: document.row, severity: 'error', column: null, code, detail: problem.detail }];
  }
  return errors.map(({ line, pointer = '', detail, ...facts }) => {
    const [, index, field = pointer.split('/').at(-1) ?? ''] = /^#\/lines\/(\d+)(?:\/(\w+))?/.exec(pointer) ?? [];
    const place = line === undefined ? Number(index ?? 0) : line - 1;
    const row = document.lines[place]?.row ?? document.row;
    return { row, severity: 'error', column: columns[field] ?? null, code, detail: detail ?? sentence(problem, facts) };
  });
}

function sentence({ detail }: Problem, facts: Readonly<Record<string, unknown>>): string {
  const known = Object.entries(facts).filter(([, value]) => typeof value === 'string' || typeof value === 'number');
  return `${detail} (${known.map(([name, value]) => `${name} ${String(value)}`).join(', ')})`;
}
