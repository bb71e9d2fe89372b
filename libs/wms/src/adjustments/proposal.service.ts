import { randomUUIDv7 } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Database, decodeCursor, listFrom, SamePerson, type Caller, type Executor, type List } from '@belay/platform';
import type { EntityManager } from 'typeorm';
import { z } from 'zod';
import { AdjustService, unitsOf } from '../movements/adjust.service.js';
import { adjustment, type Adjustment } from '../movements/movement.contract.js';
import { Posting } from '../movements/posting.service.js';
import { WarehouseScope } from '../warehouses/warehouse-scope.service.js';
import type { ProposalFilter, ProposalStatus, ProposalView } from './proposal.contract.js';
import { ProposalDecided, ProposalNotFound } from './proposal.problems.js';
import {
  decideProposal,
  insertProposal,
  lockProposal,
  proposalById,
  proposalList,
  type ProposalRow,
} from './proposal.queries.js';

const READ = 'wms.inventory:read';
const ADJUST = 'wms.inventory:adjust';
const listKey = z.tuple([z.uuid()]);

/** Adjustments that one person proposes and another posts. */
@Injectable()
export class ProposalService {
  constructor(
    private readonly database: Database,
    private readonly scope: WarehouseScope,
    private readonly adjustments: AdjustService,
    private readonly posting: Posting,
  ) {}

  async list(by: Caller, { warehouse, status, cursor, limit }: ProposalFilter): Promise<List<ProposalView>> {
    const on = this.database.dataSource;
    const place = warehouse === undefined ? null : (await this.scope.seen(on, by, READ, warehouse)).id;
    const [after] = decodeCursor(cursor, listKey) ?? [null];
    const rows = await proposalList(on, [this.scope.sites(by, READ), place, status ?? null, after, limit + 1]);
    return listFrom(rows, limit, (row) => [row.id], view);
  }

  async get(by: Caller, id: string): Promise<ProposalView> {
    return view(await this.seen(this.database.dataSource, by, id));
  }

  /** What could not be posted is not proposed either; whether it still can be is seen when it is approved. */
  propose(by: Caller, proposed: Adjustment): Promise<ProposalView> {
    return this.database.transaction(by, async (tx) => {
      const { draft } = await this.adjustments.plan(tx, by, proposed);
      const id = randomUUIDv7();
      const document = JSON.stringify(proposed);
      await insertProposal(tx, [id, draft.warehouse.id, document, unitsOf(draft.lines).toString(), by.accountId]);
      return view(await this.seen(tx, by, id));
    });
  }

  /** Posts it, in the name of who approves: at the time it names, or now. */
  approve(by: Caller, id: string): Promise<ProposalView> {
    return this.posting.inPosting(by, async (tx) => {
      const proposal = await this.open(tx, by, id);
      if (proposal.createdBy === by.accountId)
        throw new SamePerson('Who made the adjustment cannot approve it too.', { what: 'adjustment' });
      const { draft } = await this.adjustments.plan(tx, by, adjustment.parse(proposal.adjustment));
      const source = { sourceType: 'adjustment-proposal', sourceId: id };
      const { id: movementId } = await this.posting.post(tx, by, { ...draft, ...source });
      return this.decide(tx, by, id, 'approved', movementId);
    });
  }

  /** Who proposed it may take it back by this too. */
  reject(by: Caller, id: string): Promise<ProposalView> {
    return this.database.transaction(by, async (tx) => {
      await this.open(tx, by, id);
      return this.decide(tx, by, id, 'rejected', null);
    });
  }

  private async open(tx: EntityManager, by: Caller, id: string): Promise<ProposalRow> {
    await lockProposal(tx, [id]);
    const proposal = await this.seen(tx, by, id);
    await this.scope.changeable(tx, by, ADJUST, proposal.warehouseId);
    if (proposal.status !== 'open') throw new ProposalDecided(id, proposal.status);
    return proposal;
  }

  private async decide(
    tx: EntityManager,
    by: Caller,
    id: string,
    status: ProposalStatus,
    movementId: string | null,
  ): Promise<ProposalView> {
    await decideProposal(tx, [id, status, by.accountId, movementId]);
    return view(await this.seen(tx, by, id));
  }

  private async seen(on: Executor, by: Caller, id: string): Promise<ProposalRow> {
    const [row] = await proposalById(on, [id, this.scope.sites(by, READ)]);
    if (!row) throw new ProposalNotFound(id);
    return row;
  }
}

function view({ createdAt, decidedAt, units, ...row }: ProposalRow): ProposalView {
  return {
    ...row,
    adjustment: adjustment.parse(row.adjustment),
    units: Number(units),
    createdAt: createdAt.toISOString(),
    decidedAt: decidedAt?.toISOString() ?? null,
  };
}
