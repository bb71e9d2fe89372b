import { Inject, Injectable } from '@nestjs/common';
import { gateContext, InvalidRequest, Outbox, RUNTIME, type Caller, type Runtime } from '@belay/platform';
import type { EntityManager } from 'typeorm';
import { Money, Qty, Rate } from '../money.rules.js';
import type { KnownWarehouse } from '../warehouses/warehouse-scope.service.js';
import type { ChargeUnrated } from '../wms.events.js';
import { RateMissing } from './charge.problems.js';
import {
  chargedContainers,
  eventSheet,
  lockContainer,
  undoCharges,
  writeCharges,
  type ChargeRow,
  type SheetRow,
} from './charge.queries.js';
import { NoPalletTier, priceEvent, type ChargedEvent, type EventCharge } from './charge.rules.js';
import { chargeRows, sheetRate, type ChargedLine } from './charge-row.rules.js';

/** What one rate makes of a movement; without rate and amount while nobody knows the price. */
export interface MovementCharge {
  readonly category: string;
  readonly name: string;
  readonly quantity: string;
  readonly rate: string | null;
  readonly amount: string | null;
  readonly currency: string;
  readonly state: 'final' | 'unrated';
}

export interface ChargeableMovement {
  readonly id: string;
  readonly warehouse: KnownWarehouse;
  readonly event: Omit<ChargedEvent, 'containerCharged'>;
  readonly lines: readonly ChargedLine[];
  /** The rates of the warehouse, for who has read them already (`eventSheetOf`): null when there are none. */
  readonly sheet?: readonly SheetRow[] | null;
}

/** What a movement costs before it is posted, for a statement that posts it together with its charges. */
export interface ForeseenCharges {
  readonly rows: readonly ChargeRow[];
  /** They must stand at their versions when the rows are written. */
  readonly rates: readonly Pick<SheetRow, 'id' | 'version'>[];
  readonly charges: MovementCharge[];
}

const nothing: ForeseenCharges = { rows: [], rates: [], charges: [] };

/** What receipts and shipments cost, written in the transaction that posts them. */
@Injectable()
export class EventCharges {
  constructor(
    @Inject(RUNTIME) private readonly runtime: Runtime,
    private readonly outbox: Outbox,
  ) {}

  /** Whether movements of the caller are charged at all; without, they are when finance comes back. */
  areOn(by: Caller): boolean {
    return this.runtime.gate.featureMode('wms_finance', gateContext(by)) !== 'off';
  }

  /**
   * What the movement costs, as far as that follows from the sheet alone. Undefined where others must be looked at (a
   * container may have been charged) or somebody must be told (nobody knows a price): then `charge` is to be used.
   */
  foresee(by: Caller, { id, event, lines, sheet }: ChargeableMovement): ForeseenCharges | undefined {
    if (!this.areOn(by) || sheet === null) return nothing;
    if (!sheet || (event.containerNumber !== null && sheet.some(({ basis }) => basis === 'per_container')))
      return undefined;
    const charges = priceable({ ...event, containerCharged: false }, sheet);
    if (!charges || charges.some(({ rateId }) => rateId === null)) return undefined;
    const rates = sheet.filter((rate) => charges.some(({ rateId }) => rateId === rate.id));
    return { rows: chargeRows({ id, on: event.on, lines }, charges), rates, charges: charges.map(view) };
  }

  /**
   * Charges the movement, whose header and lines are written. Runs one statement when the warehouse has event rates that
   * apply, one more when the sheet is not given, two more for a container, and none while finance is off. Throws
   * `rate-missing` when the warehouse wants that, and `invalid-request` for more pallets than any tier takes.
   */
  async charge(tx: EntityManager, by: Caller, movement: ChargeableMovement): Promise<MovementCharge[]> {
    if (!this.areOn(by)) return [];
    let { sheet } = movement;
    for (;;) {
      sheet ??= sheet === null ? null : await sheetOf(tx, movement.warehouse.id);
      if (!sheet || sheet.length === 0) return [];
      const charges = await priced(tx, movement, sheet);
      if (charges.length === 0) return [];
      if (await this.write(tx, by, movement, charges, sheet)) return charges.map(view);
      // A rate was changed after it had been read.
      sheet = undefined;
    }
  }

  /**
   * Takes back what the reversed movement was charged, on the day of its reversal. Nothing while finance is off: it is
   * made up for when it comes back.
   */
  async undo(
    tx: EntityManager,
    by: Caller,
    reversed: { readonly movementId: string },
    reversal: { readonly id: string; readonly warehouse: KnownWarehouse; readonly effectiveOn: string },
  ): Promise<MovementCharge[]> {
    if (!this.areOn(by)) return [];
    const undone = await undoCharges(tx, [reversed.movementId, reversal.id, reversal.effectiveOn, by.accountId]);
    return undone.map(({ category, name, quantity, rate, amount, currency }) => ({
      category,
      name,
      quantity: Qty.parse(quantity).toString(),
      rate: rate === null ? null : Rate.parse(rate, currency).toString(),
      amount: Money.parse(amount, currency).toString(),
      currency,
      state: 'final',
    }));
  }

  private async write(
    tx: EntityManager,
    by: Caller,
    { id, warehouse, event, lines }: ChargeableMovement,
    charges: readonly EventCharge[],
    sheet: readonly SheetRow[],
  ): Promise<boolean> {
    const unrated = charges.filter(({ rateId }) => rateId === null).map(({ category, name }) => ({ category, name }));
    if (unrated.length > 0 && warehouse.blockOnMissingRate) throw new RateMissing(event.on, unrated);

    const used = sheet.filter((rate) => charges.some(({ rateId }) => rateId === rate.id));
    const [written] = await writeCharges(tx, [
      warehouse.id,
      by.accountId,
      JSON.stringify(chargeRows({ id, on: event.on, lines }, charges)),
      used.map((rate) => rate.id),
      used.map((rate) => rate.version),
    ]);
    if (written?.held !== used.length) return false;
    if (unrated.length > 0) {
      const fact: ChargeUnrated = {
        name: 'wms.charge.unrated',
        body: { warehouseId: warehouse.id, movementId: id, on: event.on, charges: unrated },
      };
      await this.outbox.add(tx, fact, 'wms');
    }
    return true;
  }
}

function priceable(event: ChargedEvent, sheet: readonly SheetRow[]): EventCharge[] | undefined {
  try {
    return priceEvent(event, sheet.map(sheetRate));
  } catch (error) {
    if (error instanceof NoPalletTier) return undefined;
    throw error;
  }
}

async function sheetOf(tx: EntityManager, warehouseId: string): Promise<readonly SheetRow[] | null> {
  const [row] = await eventSheet(tx, [warehouseId]);
  return row?.sheet ?? null;
}

async function priced(
  tx: EntityManager,
  { id, warehouse, event }: ChargeableMovement,
  sheet: readonly SheetRow[],
): Promise<EventCharge[]> {
  const counts = event.containerNumber !== null && sheet.some(({ basis }) => basis === 'per_container');
  if (counts) await lockContainer(tx, [warehouse.id, event.containerNumber]);
  const containerCharged = counts && (await chargedContainers(tx, [[id]])).length > 0;
  try {
    return priceEvent({ ...event, containerCharged }, sheet.map(sheetRate));
  } catch (error) {
    if (error instanceof NoPalletTier) throw new InvalidRequest([{ pointer: '#/lines', detail: error.message }]);
    throw error;
  }
}

function view(charge: EventCharge): MovementCharge {
  return {
    category: charge.category,
    name: charge.name,
    quantity: charge.quantity.toString(),
    rate: charge.rate?.toString() ?? null,
    amount: charge.amount?.toString() ?? null,
    currency: charge.currency,
    state: charge.amount === null ? 'unrated' : 'final',
  };
}
