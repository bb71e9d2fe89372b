import { Inject, Injectable } from '@nestjs/common';
import { BusyRetry, CONFIG, InvalidRequest, SamePerson, type Caller, type Config } from '@belay/platform';
import type { EntityManager } from 'typeorm';
import { Posting, type LineDraft } from '../movements/posting.service.js';
import { lockBuckets } from '../stock/pick.queries.js';
import { WarehouseScope, type KnownWarehouse } from '../warehouses/warehouse-scope.service.js';
import type { CountView, PostCount } from './count.contract.js';
import { closeCount, countLines, type CountLineRow } from './count.queries.js';
import { CountService } from './count.service.js';

const APPROVE = 'wms.count:approve';

/** Makes stock what was counted. */
@Injectable()
export class CountPosting {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly counts: CountService,
    private readonly posting: Posting,
    private readonly scope: WarehouseScope,
  ) {}

  /**
   * Posts the difference between what was counted and what was expected, with whatever has moved since taken into
   * account; lines without one only say when their bucket was counted.
   */
  post(by: Caller, id: string, { skipUncounted }: PostCount): Promise<CountView> {
    return this.posting.inPosting(by, async (tx) => {
      const count = await this.counts.open(tx, by, APPROVE, id);
      if (this.config.WMS_SECOND_PERSON && count.createdBy === by.accountId)
        throw new SamePerson('Who made the count cannot approve it too.', { what: 'count' });
      const warehouse = await this.scope.writable(tx, by, APPROVE, count.warehouseId);
      const lines = await this.counted(tx, id, skipUncounted);
      const differences = lines.map((line) => ({
        ...line,
        units: BigInt(line.countedUnits ?? 0) - BigInt(line.onHand),
      }));
      const movementId = await this.adjust(tx, by, warehouse, id, differences);
      const [closed] = await closeCount(tx, [
        id,
        by.accountId,
        movementId,
        lines.map(({ locationId }) => locationId),
        lines.map(({ lotId }) => lotId),
        lines.map(({ stockStatus }) => stockStatus),
        differences.map(({ units }) => units),
      ]);
      // A bucket that did not exist could not be locked, and somebody filled it meanwhile.
      if (closed?.wrong !== 0) throw new BusyRetry('conflict');
      return this.counts.seen(tx, by, id);
    });
  }

  /**
   * The lines that were counted, with their buckets locked. What is there now is what was expected and whatever was
   * posted since: numbers of ledger lines are given before the bucket is locked, so that a line may stand before
   * `expected_seq` and yet have come later, and a sum over them would miss it.
   */
  private async counted(tx: EntityManager, id: string, skipUncounted: boolean): Promise<CountLineRow[]> {
    const isCounted = ({ countedUnits }: CountLineRow) => countedUnits !== null;
    const all = await countLines(tx, [id]);
    const lines = all.filter(isCounted);
    const open = all.length - lines.length;
    if (lines.length === 0 || (open > 0 && !skipUncounted)) {
      const detail = lines.length === 0 ? 'nothing was counted' : `${open} of ${all.length} lines are not counted`;
      throw new InvalidRequest([{ pointer: '#/skipUncounted', detail }]);
    }
    await lockBuckets(tx, [
      lines.map(({ locationId }) => locationId),
      lines.map(({ lotId }) => lotId),
      lines.map(({ stockStatus }) => stockStatus),
    ]);
    return (await countLines(tx, [id])).filter(isCounted);
  }

  private async adjust(
    tx: EntityManager,
    by: Caller,
    warehouse: KnownWarehouse,
    id: string,
    differences: readonly LineDraft[],
  ): Promise<string | null> {
    const lines = differences.filter(({ units }) => units !== 0n);
    if (lines.length === 0) return null;
    const source = { sourceType: 'count', sourceId: id };
    const movement = await this.posting.post(tx, by, { warehouse, kind: 'COUNT', ...source, lines });
    return movement.id;
  }
}
