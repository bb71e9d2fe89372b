import { Injectable } from '@nestjs/common';
import { Database, Outbox, type Caller, type Statement } from '@belay/platform';
import type { EntityManager } from 'typeorm';
import type { ChargeUnrated } from '../wms.events.js';
import {
  movementsInWant,
  openMovements,
  reversalsInWant,
  unchargedMovements,
  type ChargeableRow,
} from './catch-up.queries.js';
import {
  chargedContainers,
  eventSheet,
  lockContainer,
  undoCharges,
  writeCharges,
  type ChargeRow,
  type SheetRow,
} from './charge.queries.js';
import { missingRows, sheetRate } from './charge-row.rules.js';
import { NoPalletTier, priceEvent, type ChargedEvent, type EventLine } from './charge.rules.js';

const BATCH = 200;

/** The event as it stands in the ledger; it costs what it cost when it was posted. */
export function eventOf(row: ChargeableRow, containerCharged: boolean): ChargedEvent {
  const { kind, on, inboundType, containerNumber } = row;
  return { kind, on, inboundType, containerNumber, containerCharged, lines: row.lines.reduce(withLine, []) };
}

/**
 * Pallets that people counted stand on the first of the buckets that were emptied for them, and nothing on those that
 * follow it: what came from these was on the same pallets.
 */
function withLine(lines: readonly EventLine[], line: ChargeableRow['lines'][number]): EventLine[] {
  const next = {
    lineNo: line.lineNo,
    skuId: line.skuId,
    units: BigInt(line.units),
    cartons: BigInt(line.cartons),
    pallets: BigInt(line.pallets ?? '0'),
    cartonMm3: line.cartonMm3 === null ? null : BigInt(line.cartonMm3),
  };
  const last = lines.at(-1);
  if (line.pallets !== null || !last || last.pallets === 0n || last.skuId !== next.skuId) return [...lines, next];
  const { units, cartons, cartonMm3 } = next;
  const together = { units: last.units + units, cartons: last.cartons + cartons };
  return [...lines.slice(0, -1), { ...last, ...together, cartonMm3: last.cartonMm3 === cartonMm3 ? cartonMm3 : null }];
}

/**
 * Charges what was posted while finance was off, what waited for a price, and what a new rate makes dearer. Each movement
 * is charged once for each rate, however often this runs.
 */
@Injectable()
export class ChargeCatchUp {
  constructor(
    private readonly database: Database,
    private readonly outbox: Outbox,
  ) {}

  /**
   * Prices the open periods of the warehouse: every movement, or only those in want of a price. Each batch is a
   * transaction, ended by `checkpoint`.
   */
  async price(by: Caller, warehouseId: string, which: 'all' | 'in want', checkpoint: () => void): Promise<void> {
    const movements = which === 'all' ? openMovements : movementsInWant;
    let after: readonly [string | null, string | null] = [null, null];
    for (;;) {
      const from: readonly [string | null, string | null] = after;
      const last: readonly [string, string] | undefined = await this.database.transaction(by, async (tx) => {
        const done = await this.priceBatch(tx, by, warehouseId, movements, from);
        checkpoint();
        return done;
      });
      if (!last) break;
      after = last;
    }
    await this.database.transaction(by, async (tx) => {
      for (const { id, reverses, on } of await reversalsInWant(tx, [warehouseId, null])) {
        await undoCharges(tx, [reverses, id, on, by.accountId]);
      }
      checkpoint();
    });
  }

  /** How many movements up to the day cost something that is not charged. */
  async inWant(tx: EntityManager, warehouseId: string, through: string): Promise<number> {
    const sheet = await sheetOf(tx, warehouseId);
    let count = (await reversalsInWant(tx, [warehouseId, through])).length;
    let after: readonly [string | null, string | null] = [null, null];
    for (;;) {
      const rows: ChargeableRow[] = await unchargedMovements(tx, [warehouseId, ...after, BATCH, through]);
      for (const row of rows) {
        const rowsInWant = await this.wanting(tx, warehouseId, row, sheet);
        if (rowsInWant === 'no tier' || rowsInWant.length > 0) count += 1;
      }
      const last = rows.at(-1);
      if (!last || rows.length < BATCH) return count;
      after = [last.at, last.id];
    }
  }

  /** Where the batch ended; undefined when it was the last. */
  private async priceBatch(
    tx: EntityManager,
    by: Caller,
    warehouseId: string,
    movements: Statement<ChargeableRow>,
    after: readonly [string | null, string | null],
  ): Promise<readonly [string, string] | undefined> {
    for (;;) {
      const sheet = await sheetOf(tx, warehouseId);
      if (sheet.length === 0) return undefined;
      const rows = await movements(tx, [warehouseId, ...after, BATCH]);
      let unchanged = true;
      for (const row of rows) {
        const missing = await this.wanting(tx, warehouseId, row, sheet);
        if (missing === 'no tier' || missing.length === 0) continue;
        unchanged &&= await this.write(tx, by, warehouseId, missing, sheet);
      }
      // A rate was changed meanwhile: what was not written is priced by what it is now.
      if (!unchanged) continue;
      const last = rows.at(-1);
      return last && rows.length === BATCH ? [last.at, last.id] : undefined;
    }
  }

  private async wanting(
    tx: EntityManager,
    warehouseId: string,
    row: ChargeableRow,
    sheet: readonly SheetRow[],
  ): Promise<ChargeRow[] | 'no tier'> {
    const counts = row.containerNumber !== null && sheet.some(({ basis }) => basis === 'per_container');
    if (counts) await lockContainer(tx, [warehouseId, row.containerNumber]);
    const containerCharged = counts && (await chargedContainers(tx, [[row.id]])).length > 0;
    try {
      const charges = priceEvent(eventOf(row, containerCharged), sheet.map(sheetRate));
      return missingRows(row, charges, row.charges ?? []);
    } catch (error) {
      // It keeps its period from being closed until there is a tier for it.
      if (error instanceof NoPalletTier) return 'no tier';
      throw error;
    }
  }

  private async write(
    tx: EntityManager,
    by: Caller,
    warehouseId: string,
    rows: readonly ChargeRow[],
    sheet: readonly SheetRow[],
  ): Promise<boolean> {
    const used = sheet.filter(({ id }) => rows.some((row) => row.rateId === id));
    const [written] = await writeCharges(tx, [
      warehouseId,
      by.accountId,
      JSON.stringify(rows),
      used.map(({ id }) => id),
      used.map(({ version }) => version),
    ]);
    if (written?.held !== used.length) return false;
    const [unrated] = rows.filter(({ amount }) => amount === null);
    if (unrated) await this.announce(tx, warehouseId, unrated, rows);
    return true;
  }

  private async announce(
    tx: EntityManager,
    warehouseId: string,
    { movementId, chargeOn }: ChargeRow,
    rows: readonly ChargeRow[],
  ): Promise<void> {
    const unrated = rows.filter(({ amount }) => amount === null);
    const charges = unrated
      .filter(({ name }, index) => unrated.findIndex((row) => row.name === name) === index)
      .map(({ category, name }) => ({ category, name }));
    const fact: ChargeUnrated = {
      name: 'wms.charge.unrated',
      body: { warehouseId, movementId, on: chargeOn, charges },
    };
    await this.outbox.add(tx, fact, 'wms');
  }
}

async function sheetOf(tx: EntityManager, warehouseId: string): Promise<readonly SheetRow[]> {
  const [row] = await eventSheet(tx, [warehouseId]);
  return row?.sheet ?? [];
}
