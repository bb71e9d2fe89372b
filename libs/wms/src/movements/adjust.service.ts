import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, InvalidRequest, type Caller, type Config, type Executor } from '@belay/platform';
import { ApprovalNeeded } from '../adjustments/proposal.problems.js';
import { WarehouseScope } from '../warehouses/warehouse-scope.service.js';
import { LineLookup, namedLine } from './lookup.service.js';
import type { Adjustment, PostedMovementView } from './movement.contract.js';
import {
  likelyRepeated,
  mergedByBucket,
  pointerTo,
  quantityIssues,
  repeatedBuckets,
  unitsAsked,
  unitsIssues,
  type Limits,
  type NamedLine,
} from './movement.rules.js';
import { Submission, type Planned } from './submission.service.js';

const ADJUST = 'wms.inventory:adjust';

/** What is there is another than what was thought. */
@Injectable()
export class AdjustService {
  constructor(
    private readonly warehouses: WarehouseScope,
    private readonly lookup: LineLookup,
    private readonly submission: Submission,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** By one person alone; what is too large for that is refused with `approval-needed`. */
  adjust(by: Caller, adjustment: Adjustment): Promise<PostedMovementView> {
    return this.submission.submit(by, false, (on) => this.planAlone(on, by, adjustment));
  }

  /** As `plan`, of what one person may do alone. */
  async planAlone(on: Executor, by: Caller, adjustment: Adjustment): Promise<Planned> {
    const planned = await this.plan(on, by, adjustment);
    const { WMS_APPROVAL_UNITS: most } = this.config;
    const units = unitsOf(planned.draft.lines);
    if (most !== undefined && units > BigInt(most)) throw new ApprovalNeeded(units, most);
    return planned;
  }

  /** The movement that it makes, for who posts it in a transaction of their own. */
  async plan(on: Executor, by: Caller, adjustment: Adjustment): Promise<Planned> {
    const warehouse = await this.warehouses.writable(on, by, ADJUST, adjustment.warehouse);
    const { kind, reasonCode, reference, note, effectiveAt: at, lines: given, mergeLines } = adjustment;
    const effectiveAt = at === undefined ? undefined : new Date(at);
    const question = { kind, effectiveAt, reference };
    const asked = given.map(({ sku, lot, location, stockStatus }, of) => ({ sku, lot, location, stockStatus, of }));
    const issues = given.flatMap((line, of) => quantityIssues(this.lookup.limits, pointerTo(of), line));
    const document = await this.lookup.find(on, by, warehouse, asked, question, issues, ({ index, lot }) => {
      const line = given[index];
      return line ? unitsIssues(this.lookup.limits, pointerTo(index), line, lot.unitsPerCarton) : [];
    });
    const sign = kind === 'ADJUST_IN' ? 1n : -1n;
    const lines = document.lines.map((line) => {
      const quantity = given[line.index] ?? { cartons: 0, looseUnits: 0 };
      return namedLine(line, sign * unitsAsked(quantity, line.lot.unitsPerCarton));
    });
    refuseRepeated(lines, mergeLines);
    refuseUnexplained(lines, note, this.lookup.limits);
    return {
      draft: {
        warehouse,
        kind,
        reasonCode,
        reference,
        note,
        effectiveAt,
        lines: mergedByBucket(lines, (one, other) => ({ ...one, units: one.units + other.units })),
        ...(document.timing && { timing: document.timing }),
      },
      warnings: likelyRepeated(document.likely),
    };
  }
}

function refuseRepeated(lines: readonly NamedLine[], merge: boolean): void {
  const repeated = merge ? [] : repeatedBuckets(lines);
  if (repeated.length > 0) throw new InvalidRequest(repeated);
}

/** What is added or taken, over all lines. */
export function unitsOf(lines: readonly { readonly units: bigint }[]): bigint {
  return lines.reduce((sum, line) => sum + (line.units < 0n ? -line.units : line.units), 0n);
}

function refuseUnexplained(lines: readonly NamedLine[], note: string | undefined, { silentUnits }: Limits): void {
  if (note !== undefined || unitsOf(lines) <= BigInt(silentUnits)) return;
  throw new InvalidRequest([{ pointer: '#/note', detail: `must be given from ${silentUnits + 1} units on` }]);
}
