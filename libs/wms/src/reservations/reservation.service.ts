import { randomUUIDv7 } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import {
  Database,
  decodeCursor,
  InvalidRequest,
  listFrom,
  PermissionMissing,
  violates,
  type Caller,
  type Executor,
  type List,
} from '@belay/platform';
import type { EntityManager } from 'typeorm';
import { z } from 'zod';
import { linesGiven, type KnownLot, type KnownSku } from '../goods/line.queries.js';
import { skuGiven } from '../goods/sku.queries.js';
import { LotBlocked } from '../movements/movement.problems.js';
import { InsufficientStock } from '../movements/posting.problems.js';
import { Posting } from '../movements/posting.service.js';
import { soundStock } from '../stock/pick.queries.js';
import { Picking, type Found } from '../stock/picking.service.js';
import { InactiveMasterData } from '../warehouses/warehouse.problems.js';
import { WarehouseScope, type KnownWarehouse } from '../warehouses/warehouse-scope.service.js';
import { idsAndCodes } from '../wms.contract.js';
import { lockReservations, reservationPlaces, type LockedReservation } from './allocation.queries.js';
import { Allocations } from './allocation.service.js';
import type { AllocateMore, DraftReservation, ReservationFilter, ReservationView } from './reservation.contract.js';
import { ReservationNotFound, ReservationNotOpen, SourceLineReserved } from './reservation.problems.js';
import { dayAndTime, reservationById, reservationList, type ReservationRow } from './reservation.queries.js';

const READ = 'wms.inventory:read';
export const WRITE = 'wms.reservation:write';
const open: readonly string[] = ['active', 'partially_fulfilled'];
const listKey = z.tuple([z.uuid()]);

@Injectable()
export class ReservationService {
  constructor(
    private readonly allocations: Allocations,
    private readonly database: Database,
    private readonly picking: Picking,
    private readonly posting: Posting,
    private readonly scope: WarehouseScope,
  ) {}

  async list(by: Caller, filter: ReservationFilter): Promise<List<ReservationView>> {
    const { warehouse, sku, status, sourceType, sourceId, cursor, limit } = filter;
    const on = this.database.dataSource;
    const [after = null] = decodeCursor(cursor, listKey) ?? [];
    const place = warehouse === undefined ? undefined : await this.scope.seen(on, by, READ, warehouse);
    const rows = await reservationList(on, [
      this.scope.sites(by, READ),
      place?.id ?? null,
      sku === undefined ? null : await skuIds(on, sku),
      statusesOf(status),
      sourceType ?? null,
      sourceId ?? null,
      after,
      limit + 1,
    ]);
    return listFrom(rows, limit, (row) => [row.id], view);
  }

  get(by: Caller, id: string): Promise<ReservationView> {
    return this.seen(this.database.dataSource, by, id);
  }

  /** Promises stock to the line of an order. */
  async reserve(by: Caller, draft: DraftReservation): Promise<ReservationView> {
    try {
      return await this.posting.inPosting(by, (tx) => this.begin(tx, by, draft));
    } catch (error) {
      throw violates(error, 'source_line_is_reserved_once') ? new SourceLineReserved(draft.source) : error;
    }
  }

  /** Looks again for what the reservation is short of. */
  allocate(by: Caller, id: string, { policy }: AllocateMore): Promise<ReservationView> {
    return this.posting.inPosting(by, async (tx) => {
      const warehouse = await this.writable(tx, by, id);
      await this.scope.writable(tx, by, WRITE, warehouse.warehouseId);
      const reservation = await lockOpen(tx, id);
      const { warehouseId, skuId, sku, lotId, strategy, neededOn, minShelfLifeDays } = reservation;
      const units = BigInt(reservation.shortUnits);
      if (units > 0n) {
        const wanted = { skuId, lotId, units, strategy, neededOn, minShelfLifeDays };
        const [found] = await this.picking.pick(tx, { id: warehouseId }, [wanted]);
        if (policy === 'all_or_nothing') await refuseShort(tx, warehouseId, { skuId, sku, units }, found);
        const picks = found?.picks ?? [];
        await this.allocations.extend(
          tx,
          picks.map(({ balanceId, units: some }) => ({ reservationId: id, balanceId, units: some })),
        );
      }
      return this.seen(tx, by, id);
    });
  }

  /** Gives back what the reservation still holds. Doing it again changes nothing. */
  release(by: Caller, id: string): Promise<ReservationView> {
    return this.posting.inPosting(by, async (tx) => {
      await this.writable(tx, by, id);
      const [reservation] = await lockReservations(tx, [[id]]);
      if (reservation && open.includes(reservation.status)) await this.allocations.end(tx, [id], 'released');
      return this.seen(tx, by, id);
    });
  }

  /** As `get`, within a transaction. */
  async seen(on: Executor, by: Caller, id: string): Promise<ReservationView> {
    const [row] = await reservationById(on, [id, this.scope.sites(by, READ)]);
    if (!row) throw new ReservationNotFound(id);
    return view(row);
  }

  /** Where the reservation is, when the caller may change it. */
  async writable(on: Executor, by: Caller, id: string): Promise<{ readonly warehouseId: string }> {
    const [place] = await reservationPlaces(on, [[id]]);
    if (!place || !(by.may(READ, place.siteId) || by.may(WRITE, place.siteId))) throw new ReservationNotFound(id);
    if (!by.may(WRITE, place.siteId)) throw new PermissionMissing(WRITE);
    return place;
  }

  private async begin(tx: EntityManager, by: Caller, draft: DraftReservation): Promise<ReservationView> {
    const warehouse = await this.scope.writable(tx, by, WRITE, draft.warehouse);
    const { sku, lot } = await goodsOf(tx, warehouse, draft);
    await checkTimes(tx, warehouse, draft);
    const { source, policy, strategy, neededOn = null, minShelfLifeDays = null, expiresAt } = draft;
    const wanted = { skuId: sku.id, lotId: lot?.id ?? null, units: BigInt(draft.units), strategy, neededOn };
    const [found] = await this.picking.pick(tx, warehouse, [{ ...wanted, minShelfLifeDays }]);
    if (!found) throw new Error('Every wish has an answer');
    if (policy === 'all_or_nothing') {
      await refuseShort(tx, warehouse.id, { skuId: sku.id, sku: sku.code, units: wanted.units }, found);
    }
    const id = randomUUIDv7();
    const facts = { id, warehouseId: warehouse.id, source, policy, neededOn, minShelfLifeDays, expiresAt };
    const { skuId, lotId, units } = wanted;
    await this.allocations.begin(tx, { ...facts, skuId, lotId, units, createdBy: by.accountId }, found);
    return this.seen(tx, by, id);
  }
}

async function lockOpen(tx: EntityManager, id: string): Promise<LockedReservation> {
  const [reservation] = await lockReservations(tx, [[id]]);
  if (!reservation) throw new ReservationNotFound(id);
  if (!open.includes(reservation.status)) throw new ReservationNotOpen(id, reservation.status);
  return reservation;
}

async function goodsOf(
  tx: EntityManager,
  warehouse: KnownWarehouse,
  draft: DraftReservation,
): Promise<{ sku: KnownSku; lot: KnownLot | undefined }> {
  const asked = [...idsAndCodes([draft.sku]), ...idsAndCodes([draft.lot]), ...idsAndCodes([null])];
  const [line] = await linesGiven(tx, [warehouse.id, ...asked, false]);
  if (!line?.sku) throw new InvalidRequest([{ pointer: '#/sku', detail: 'is no SKU' }]);
  if (!line.sku.isActive) throw new InactiveMasterData('sku', line.sku.code);
  if (draft.lot === undefined) return { sku: line.sku, lot: undefined };
  if (!line.lot) throw new InvalidRequest([{ pointer: '#/lot', detail: 'is no lot of the SKU' }]);
  const { code: lot, status } = line.lot;
  if (status !== 'available') throw new LotBlocked([{ line: 1, sku: line.sku.code, lot, status }]);
  return { sku: line.sku, lot: line.lot };
}

async function checkTimes(tx: EntityManager, warehouse: KnownWarehouse, draft: DraftReservation): Promise<void> {
  const { neededOn, expiresAt } = draft;
  if (neededOn === undefined && expiresAt === null) return;
  const [now] = await dayAndTime(tx, [warehouse.timezone, expiresAt]);
  const errors = [];
  if (now && neededOn !== undefined && neededOn < now.today) {
    errors.push({ pointer: '#/neededOn', detail: `is past: it is ${now.today} in the warehouse` });
  }
  if (now?.isOver === true) errors.push({ pointer: '#/expiresAt', detail: 'must be to come' });
  if (errors.length > 0) throw new InvalidRequest(errors);
}

/** All or nothing: says what there is when it is not all. */
async function refuseShort(
  tx: EntityManager,
  warehouseId: string,
  { skuId, sku, units }: { readonly skuId: string; readonly sku: string; readonly units: bigint },
  found: Found | undefined,
): Promise<void> {
  if (!found || found.short === 0n) return;
  const [stock] = await soundStock(tx, [warehouseId, [skuId]]);
  throw new InsufficientStock([
    {
      line: 1,
      sku,
      lot: null,
      location: null,
      stockStatus: null,
      requestedUnits: Number(units),
      onHand: Number(stock?.onHand ?? 0),
      reserved: Number(stock?.reserved ?? 0),
      available: Number(units - found.short),
      pointer: '#/units',
    },
  ]);
}

async function skuIds(on: Executor, sku: string): Promise<string[]> {
  const [[id], [code]] = idsAndCodes([sku]);
  return (await skuGiven(on, [id, code])).map((one) => one.id);
}

function statusesOf(status: ReservationFilter['status']): readonly string[] | null {
  if (status === undefined) return null;
  return status === 'open' ? open : [status];
}

function view(row: ReservationRow): ReservationView {
  const { sourceType, sourceId, sourceLine, allocations, ...facts } = row;
  return {
    ...facts,
    source: { type: sourceType, id: sourceId, line: sourceLine },
    units: Number(row.units),
    fulfilledUnits: Number(row.fulfilledUnits),
    shortUnits: Number(row.shortUnits),
    expiresAt: row.expiresAt?.toISOString() ?? null,
    allocations: [...allocations],
    createdAt: row.createdAt.toISOString(),
  };
}
