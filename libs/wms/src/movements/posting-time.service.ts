import { Injectable } from '@nestjs/common';
import { InvalidRequest, type Caller, type Executor } from '@belay/platform';
import type { KnownWarehouse } from '../warehouses/warehouse-scope.service.js';
import { BackdatingNotAllowed, PeriodClosed } from './posting.problems.js';
import { bucketsAtTime, type BucketsAtTime } from './posting.queries.js';
import type { LineDraft } from './posting.rules.js';
import type { MovementDraft } from './posting.service.js';

const BACKDATE = 'wms.inventory:backdate';
const OVERRIDE = 'wms.period:override';

/** When something may be said to have happened. */
@Injectable()
export class PostingTime {
  /** Whether the time is before something that is known of a bucket; throws when the caller may not post at it. */
  async check(on: Executor, by: Caller, draft: MovementDraft): Promise<boolean> {
    const { warehouse, effectiveAt, lines } = draft;
    if (!effectiveAt) return false;
    const timing = draft.timing ?? (await timingOf(on, warehouse, effectiveAt, lines));
    if (timing.isFuture) {
      throw new InvalidRequest([{ pointer: '#/effectiveAt', detail: 'must not be more than five minutes from now' }]);
    }
    const { closedThrough } = warehouse;
    if (closedThrough !== null && timing.effectiveOn <= closedThrough) throw new PeriodClosed(closedThrough);
    if (timing.later === null) return false;

    const lacks = (permission: string) => by.kind !== 'system' && !by.may(permission, warehouse.siteId);
    const needs = [
      ...(lacks(BACKDATE) ? [`the permission ${BACKDATE}`] : []),
      ...(timing.isOld && lacks(OVERRIDE) ? [`the permission ${OVERRIDE}`] : []),
      ...((by.reason ?? draft.reasonCode ?? draft.note ?? '') === '' ? ['a reason'] : []),
    ];
    if (needs.length > 0) throw new BackdatingNotAllowed(needs, timing.later);
    return true;
  }
}

async function timingOf(
  on: Executor,
  { id, timezone }: KnownWarehouse,
  at: Date,
  lines: readonly LineDraft[],
): Promise<BucketsAtTime> {
  const [timing] = await bucketsAtTime(on, [
    at,
    timezone,
    id,
    lines.map((line) => line.locationId),
    lines.map((line) => line.lotId),
    lines.map((line) => line.stockStatus),
  ]);
  if (!timing) throw new Error('A question about a time is answered');
  return timing;
}
