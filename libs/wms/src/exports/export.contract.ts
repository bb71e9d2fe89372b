import { jobType } from '@belay/platform';
import { z } from 'zod';
import { day, id, idOrCode } from '../wms.contract.js';

const exportKinds = [
  'stock',
  'ledger',
  'storage_ledger',
  'costs',
  'invoices',
  'reconciliation',
  'pallet_variance',
  'missing_documents',
] as const;
export type ExportKind = (typeof exportKinds)[number];

/** Rows that are written while the request waits; more of them are a job. */
export const mostRowsAtOnce = 10_000;

export const exportRequest = z
  .strictObject({
    kind: z.enum(exportKinds),
    warehouse: idOrCode.optional().describe('Of all warehouses that you see, unless said'),
    sku: idOrCode.optional().describe('Means something for stock, ledger, storage_ledger and costs'),
    from: day.optional().describe('First day, as the warehouse reckons days; of invoices, of their periods'),
    to: day.optional().describe('Last day'),
  })
  .refine(({ from, to }) => from === undefined || to === undefined || from <= to, {
    path: ['to'],
    error: 'must not be before from',
  })
  .meta({ id: 'ExportRequest' });
export type ExportRequest = z.infer<typeof exportRequest>;

export const exportView = z
  .object({
    id,
    kind: z.enum(exportKinds),
    status: z.enum(['waiting', 'running', 'done', 'failed']),
    rows: z.int().nullable().describe('Without the header'),
    sha256: z.string().nullable().describe('Of the file'),
    url: z.string().nullable().describe('Where the file is, for whoever has this link, until it expires'),
    expiresAt: z.iso.datetime().nullable(),
    failure: z.string().nullable(),
    createdBy: id,
    createdAt: z.iso.datetime(),
  })
  .meta({ id: 'Export' });
export type ExportView = z.infer<typeof exportView>;

export const signature = z.strictObject({
  expires: z.coerce.number().int().positive().describe('Seconds since 1970'),
  signature: z.string().regex(/^[\w-]{43}$/, 'must be a signature'),
});
export type Signature = z.infer<typeof signature>;

export const writeExport = jobType({
  domain: 'wms',
  name: 'write-export',
  payload: z.object({ exportId: z.uuid() }),
});
