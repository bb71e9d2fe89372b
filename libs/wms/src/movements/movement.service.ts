import { Injectable } from '@nestjs/common';
import {
  Database,
  decodeCursor,
  listFrom,
  PreconditionFailed,
  type Caller,
  type Executor,
  type List,
} from '@belay/platform';
import { z } from 'zod';
import { WarehouseScope } from '../warehouses/warehouse-scope.service.js';
import { idsAndCodes } from '../wms.contract.js';
import type { ChangeAttributes, MovementFilter, MovementSummary, MovementView } from './movement.contract.js';
import { MovementNotFound } from './movement.problems.js';
import {
  chargesOfMovement,
  linesOfMovement,
  movementById,
  movementList,
  papersOfMovement,
  writePapers,
  type MovementRow,
  type PapersRow,
} from './movement.queries.js';
import { lineView, variancesOf } from './movement.rules.js';

const READ = 'wms.inventory:read';
const ANNOTATE = 'wms.inventory:annotate';
const listKey = z.tuple([z.string(), z.uuid()]);

/** What was posted, and the papers that came with it. */
@Injectable()
export class MovementService {
  constructor(
    private readonly database: Database,
    private readonly warehouses: WarehouseScope,
  ) {}

  /** The latest first. */
  async list(by: Caller, filter: MovementFilter): Promise<List<MovementSummary>> {
    const after = decodeCursor(filter.cursor, listKey) ?? [null, null];
    const [[warehouseId = null], [warehouseCode = null]] = idsAndCodes([filter.warehouse]);
    const [[skuId = null], [skuCode = null]] = idsAndCodes([filter.sku]);
    const rows = await movementList(this.database.dataSource, [
      this.warehouses.sites(by, READ),
      warehouseId,
      warehouseCode,
      filter.kind ?? null,
      filter.from ?? null,
      filter.to ?? null,
      filter.reference ?? null,
      filter.containerNumber ?? null,
      skuId,
      skuCode,
      filter.lot ?? null,
      filter.sourceType ?? null,
      filter.sourceId ?? null,
      ...after,
      filter.limit + 1,
    ]);
    return listFrom(rows, filter.limit, (row) => [row.sortAt, row.id], summary);
  }

  async get(by: Caller, id: string): Promise<MovementView> {
    const on = this.database.dataSource;
    return shown(on, await this.seen(on, by, id));
  }

  /** Papers arrive after the goods; the movement itself stays as it was posted. */
  async annotate(by: Caller, id: string, version: number, change: ChangeAttributes): Promise<MovementView> {
    return this.database.transaction(by, async (tx) => {
      const movement = await this.seen(tx, by, id);
      await this.warehouses.writable(tx, by, ANNOTATE, movement.warehouseId);
      const { rowVersion, ...before } = await papersOf(tx, id);
      if (rowVersion !== version) throw new PreconditionFailed(rowVersion);

      const { vessel, carrier, trackingNumber, pickupOn, notes, attachments } = { ...before, ...change };
      const values = [id, vessel, carrier, trackingNumber, pickupOn, notes, JSON.stringify(attachments), by.accountId];
      const [written] = await writePapers(tx, [...values, version]);
      if (!written) throw new PreconditionFailed((await papersOf(tx, id)).rowVersion);
      return shown(tx, movement);
    });
  }

  private async seen(on: Executor, by: Caller, id: string): Promise<MovementRow> {
    const [movement] = await movementById(on, [id, this.warehouses.sites(by, READ)]);
    if (!movement) throw new MovementNotFound(id);
    return movement;
  }
}

const noPapers: PapersRow = {
  vessel: null,
  carrier: null,
  trackingNumber: null,
  pickupOn: null,
  notes: null,
  attachments: [],
  rowVersion: 0,
};

async function papersOf(on: Executor, id: string): Promise<PapersRow> {
  const [papers] = await papersOfMovement(on, [id]);
  return papers ?? noPapers;
}

async function shown(on: Executor, movement: MovementRow): Promise<MovementView> {
  const lines = await linesOfMovement(on, [movement.id]);
  const { rowVersion, ...attributes } = await papersOf(on, movement.id);
  return {
    ...summary(movement),
    lines: lines.map(({ units, ...line }, index) => lineView({ ...line, units: BigInt(units) }, index)),
    charges: await chargesOfMovement(on, [movement.id]),
    variances: variancesOf(lines),
    attributes,
    rowVersion,
  };
}

/** Answers hold nothing but what they are declared to. */
function summary(movement: MovementRow): MovementSummary {
  return movement;
}
