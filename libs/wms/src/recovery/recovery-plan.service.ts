import {
  hashedPlan,
  plannedTables,
  type ChangedRecord,
  type RecoveryContext,
  type RecoveryInput,
  type RecoveryPlan,
} from '@belay/platform';
import { z } from 'zod';
import { recoveredTables } from './recovered-table.rules.js';
import { schema } from './recovery.queries.js';
import { countStandingCharges } from './standing-charge.queries.js';
import { shortBuckets, standingMovements, type StandingMovement } from './standing-movement.queries.js';

const LEDGER = 'wms.wms_inventory_transaction';
const CHARGES = 'wms.cost_charge';
// Less than what two busy cores did.
const MOVEMENTS_PER_SECOND = 500;
const ROWS_PER_SECOND = 1_000;

const keys = z.object({ warehouse: z.array(z.uuid()).optional(), sku: z.array(z.uuid()).optional() });

/** What a way back is about, as its statements take it. */
export interface Changes {
  readonly records: readonly ChangedRecord[];
  readonly movements: readonly StandingMovement[];
  /** The first five parameters of what counts and undoes charges; null when charges stay. */
  readonly charges: readonly unknown[] | null;
}

/** When only a part of the warehouse is taken back by its keys, rows and charges of no movement stay. */
export async function changesSince({ tx }: RecoveryContext, input: RecoveryInput): Promise<Changes> {
  const { marker, tables, excludeActors, only } = input;
  const narrowed = keys.parse(only?.keys ?? {});
  const actors = [only?.actors ?? null, excludeActors ?? null];
  const asked = new Set(tables ?? [...recoveredTables.map(({ name }) => `wms.${name}`), LEDGER, CHARGES]);
  const named = recoveredTables.map(({ name }) => name).filter((name) => asked.has(`wms.${name}`));
  const marked = [marker.snapshot, marker.at];
  // Rows of master data and papers have no warehouse or SKU of their own to be told apart by.
  const byKey = narrowed.warehouse !== undefined || narrowed.sku !== undefined;
  const movementScope = [narrowed.warehouse ?? null, narrowed.sku ?? null];
  const records = byKey ? [] : await schema.changedRecords(tx, input, named);
  const movements = asked.has(LEDGER) ? await standingMovements(tx, [...marked, ...actors, ...movementScope]) : [];
  const charges = asked.has(CHARGES) ? [marker.at, ...actors, movements.map(({ id }) => id), byKey] : null;
  return { records, movements, charges };
}

/** Read-only: says what would be done, and under which hash. */
export async function planRecovery(context: RecoveryContext, input: RecoveryInput): Promise<RecoveryPlan> {
  const { records, movements, charges } = await changesSince(context, input);
  const head = await schema.auditHead(context.tx);
  const [standing = { charges: 0 }] = charges ? await countStandingCharges(context.tx, charges) : [];
  const short = await shortBuckets(context.tx, [movements.map(({ id }) => id), input.marker.at]);
  const plan = {
    tables: plannedTables('wms', recoveredTables, records),
    counterposted: { movements: movements.length, charges: standing.charges },
    refusals: short.map((bucket) => ({ why: 'more was taken or promised since', ...bucket })),
    estimatedSeconds: Math.ceil(1 + movements.length / MOVEMENTS_PER_SECOND + records.length / ROWS_PER_SECOND),
  };
  return hashedPlan(
    plan,
    head,
    input,
    records,
    movements.map(({ id }) => id),
  );
}
