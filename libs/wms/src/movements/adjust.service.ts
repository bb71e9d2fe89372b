import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, InvalidRequest, type Caller, type Config, type Executor } from '@belay/platform';
import { ApprovalNeeded } from '../adjustments/proposal.problems.js';
import type { KnownWarehouse } from '../warehouses/warehouse-scope.service.js';
import { LineLookup, namedLine, type Enquiry, type FoundDocument } from './lookup.service.js';
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
    private readonly lookup: LineLookup,
    private readonly submission: Submission,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** By one person alone; what is too large for that is refused with `approval-needed`. */
  adjust(by: Caller, adjustment: Adjustment): Promise<PostedMovementView> {
    return this.submission.submit(by, false, async (on) => {
      const planned = await this.plan(on, by, adjustment);
      this.refuseLarge(planned);
      return planned;
    });
  }

  /** The movement that it makes, for who posts it in a transaction of their own. */
  async plan(on: Executor, by: Caller, adjustment: Adjustment): Promise<Planned> {
    const where = { warehouse: adjustment.warehouse, permission: ADJUST };
    const document = await this.lookup.find(on, by, where, this.enquiry(adjustment));
    return this.planned(document.warehouse, adjustment, document);
  }

  enquiry({ kind, reference, effectiveAt, lines: given }: Adjustment): Enquiry {
    const { limits } = this.lookup;
    return {
      asked: given.map(({ sku, lot, location, stockStatus }, of) => ({ sku, lot, location, stockStatus, of })),
      question: { kind, effectiveAt: effectiveAt === undefined ? undefined : new Date(effectiveAt), reference },
      issues: given.flatMap((line, of) => quantityIssues(limits, pointerTo(of), line)),
      check: ({ index, lot }) => {
        const line = given[index];
        return line ? unitsIssues(limits, pointerTo(index), line, lot.unitsPerCarton) : [];
      },
    };
  }

  /** The movement, once its lines are found. */
  planned(
    warehouse: KnownWarehouse,
    { kind, reasonCode, reference, note, effectiveAt: at, lines: given, mergeLines }: Adjustment,
    document: FoundDocument,
  ): Planned {
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
        effectiveAt: at === undefined ? undefined : new Date(at),
        lines: mergedByBucket(lines, (one, other) => ({ ...one, units: one.units + other.units })),
        ...(document.timing && { timing: document.timing }),
      },
      warnings: likelyRepeated(document.likely),
    };
  }

  /** Throws `approval-needed` when it is more than one person may do alone. */
  refuseLarge({ draft }: Planned): void {
    const { WMS_APPROVAL_UNITS: most } = this.config;
    const units = unitsOf(draft.lines);
    if (most !== undefined && units > BigInt(most)) throw new ApprovalNeeded(units, most);
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
