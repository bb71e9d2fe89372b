import { page } from '@belay/platform';
import { z } from 'zod';
import { currency, day, id, idOrCode } from '../wms.contract.js';

const LONGEST_RUN_DAYS = 366;

const storageStates = ['final', 'unrated', 'unconfigured', 'locked'] as const;

const line = {
  id: z.string(),
  warehouse: z.string().describe('Code of the warehouse'),
  sku: z.string(),
  lot: z.string(),
  snapshotOn: day.describe('The day whose closing stock is billed'),
  weekEnding: day,
  units: z.int(),
  unitsPerCarton: z.int(),
  cartons: z.int().describe('An opened carton counts as one'),
  cartonsPerPallet: z.int().nullable(),
  cartonsPerPalletFrom: z.enum(['lot', 'spec', 'manual']).nullable(),
  pallets: z.string().nullable(),
  rateId: id.nullable(),
  rateName: z.string().nullable(),
  rate: z.string().nullable(),
  amount: z.string().nullable(),
  currency,
  periodStart: day,
  periodEnd: day,
  state: z.enum(storageStates),
  invoiceId: id.nullable(),
  explanation: z.string().describe('How the amount follows from what is known'),
  computedAt: z.iso.datetime(),
  lastLedgerSeq: z.string().describe('The youngest line of the ledger that was counted'),
};

export const storageLine = z.object(line).meta({ id: 'StorageLine' });
export type StorageLine = z.infer<typeof storageLine>;

export const storageFilter = page.extend({
  warehouse: idOrCode.optional(),
  sku: idOrCode.optional(),
  lot: idOrCode.optional().describe('Its id, or its code'),
  from: day.optional().describe('Snapshots from that day on'),
  to: day.optional().describe('Snapshots up to that day'),
  period: day.optional().describe('Only the billing period that the day is in'),
  state: z.enum(storageStates).optional(),
});
export type StorageFilter = z.infer<typeof storageFilter>;

export const storageRunRequest = z
  .strictObject({
    warehouse: idOrCode,
    from: day,
    to: day,
    dryRun: z.boolean().default(false).describe('Say what it would come to, and change nothing'),
  })
  .refine(({ from, to }) => from <= to, { path: ['to'], error: 'must not be before from' })
  .refine(({ from, to }) => Date.parse(to) - Date.parse(from) <= LONGEST_RUN_DAYS * 86_400_000, {
    path: ['to'],
    error: `must be at most ${LONGEST_RUN_DAYS} days after from`,
  })
  .meta({ id: 'StorageRunRequest' });
export type StorageRunRequest = z.infer<typeof storageRunRequest>;

export const storageRunView = z
  .object({
    warehouse: z.string(),
    dryRun: z.boolean(),
    currency,
    days: z.array(
      z
        .object({
          snapshotOn: day,
          lines: z.int(),
          changed: z.int().describe('Lines that are new or came to something else'),
          unrated: z.int(),
          unconfigured: z.int(),
          charges: z.int().describe('Charges made, those that take back earlier ones included'),
          amountBefore: z.string(),
          amount: z.string(),
        })
        .meta({ id: 'StorageRunDay' }),
    ),
    lines: z.array(storageLine).describe('The first 200'),
    furtherLines: z.int(),
  })
  .meta({ id: 'StorageRun' });
export type StorageRunView = z.infer<typeof storageRunView>;
