import { line, page } from '@belay/platform';
import { z } from 'zod';
import { day, id, idOrCode, instant, rowVersion, someUnits, units } from '../wms.contract.js';
import { pickStrategies } from '../stock/pick.rules.js';

const statuses = ['active', 'partially_fulfilled', 'fulfilled', 'released', 'expired'] as const;
export type ReservationStatus = (typeof statuses)[number];

const policies = ['all_or_nothing', 'allow_partial'] as const;
const policy = z
  .enum(policies)
  .describe('all_or_nothing refuses what cannot be had in full; allow_partial keeps the rest as a backorder');

const source = z.strictObject({
  type: line(40).describe('What it is for, e.g. order'),
  id: line(120),
  line: line(60),
});

const strategy = z.enum(pickStrategies).describe('What can expire goes by expiry, whatever is asked for');

export const draftReservation = z
  .strictObject({
    warehouse: idOrCode,
    sku: idOrCode,
    lot: idOrCode.optional().describe('Only of this lot'),
    units: someUnits,
    source: source.describe('A line has one open reservation at most'),
    policy: policy.default('all_or_nothing'),
    strategy: strategy.optional(),
    neededOn: day.optional().describe('The day in the warehouse on which the goods must still be good; else today'),
    minShelfLifeDays: z
      .int()
      .min(0)
      .max(36_500)
      .optional()
      .describe('Days that they must last beyond; else that of the SKU'),
    expiresAt: instant.nullable().default(null).describe('When what is still reserved is given back by itself'),
  })
  .meta({ id: 'DraftReservation' });
export type DraftReservation = z.infer<typeof draftReservation>;

export const allocateMore = z
  .strictObject({ policy: policy.default('allow_partial') })
  .meta({ id: 'AllocateReservation' })
  .prefault({});
export type AllocateMore = z.infer<typeof allocateMore>;

export const fulfilReservation = z
  .strictObject({
    reference: line(120),
    units: someUnits.optional().describe('All that is still promised, unless said'),
    effectiveAt: instant.optional().describe('When it left; now unless said'),
    counterparty: line(120).optional(),
    shipMode: z.enum(['PALLETS', 'CARTONS']).default('CARTONS'),
    palletsReported: z.int().min(0).optional().describe('Shipping pallets as counted; computed unless said'),
    note: z.string().trim().min(1).max(2_000).optional(),
  })
  .meta({ id: 'FulfilReservation' });
export type FulfilReservation = z.infer<typeof fulfilReservation>;

const allocation = z.object({
  location: z.string(),
  locationId: id,
  lot: z.string(),
  lotId: id,
  units: units.describe('Of which some may be fulfilled'),
  fulfilledUnits: units,
  expiresOn: day.nullable(),
});

export const reservationView = z
  .object({
    id,
    warehouse: z.string(),
    warehouseId: id,
    sku: z.string(),
    skuId: id,
    lot: z.string().nullable(),
    lotId: id.nullable(),
    source: z.object({ type: z.string(), id: z.string(), line: z.string() }),
    status: z.enum(statuses),
    policy: z.enum(policies),
    strategy: z.enum(pickStrategies),
    units,
    fulfilledUnits: units,
    shortUnits: units.describe('Wanted still, and promised from nowhere'),
    neededOn: day.nullable(),
    minShelfLifeDays: z.int().nullable(),
    expiresAt: z.iso.datetime().nullable(),
    allocations: z.array(allocation),
    createdAt: z.iso.datetime(),
    createdBy: id,
    rowVersion,
  })
  .meta({ id: 'Reservation' });
export type ReservationView = z.infer<typeof reservationView>;

export const reservationFilter = page.extend({
  warehouse: idOrCode.optional(),
  sku: idOrCode.optional(),
  status: z
    .enum([...statuses, 'open'])
    .optional()
    .describe('open: active or partially fulfilled'),
  sourceType: line(40).optional(),
  sourceId: line(120).optional(),
});
export type ReservationFilter = z.infer<typeof reservationFilter>;
