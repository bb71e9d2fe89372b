import { Injectable } from '@nestjs/common';
import { Database, type Caller, type Executor } from '@belay/platform';
import type { EntityManager } from 'typeorm';
import type { MovementWarning, PostedMovementView } from './movement.contract.js';
import { lineView, variancesOf, type NamedLine } from './movement.rules.js';
import { Posting, type MovementDraft } from './posting.service.js';

/** A movement that is going to be posted, and what is to be said about it. */
export interface Planned {
  readonly draft: MovementDraft & { readonly lines: readonly NamedLine[] };
  readonly warnings?: readonly MovementWarning[];
}

/** Made of nothing but reads; in the transaction `tx` when there is one around it, where it may lock and write. */
export type Plan = (on: Executor, tx?: EntityManager) => Promise<Planned>;

/** The plan is one of those that need a transaction around them. */
class NeedsTransaction extends Error {
  override readonly name = 'NeedsTransaction';
}

/** Takes a planned movement to the ledger, in as few round trips as it allows. */
@Injectable()
export class Submission {
  constructor(
    private readonly database: Database,
    private readonly posting: Posting,
  ) {}

  /** `locks`: the plan works only in a transaction. */
  async submit(by: Caller, locks: boolean, plan: Plan): Promise<PostedMovementView> {
    if (!locks) {
      try {
        return await this.posting.alone(by, () => this.stand(by, plan));
      } catch (error) {
        if (!(error instanceof NeedsTransaction)) throw error;
      }
    }
    return this.posting.inPosting(by, async (tx) => {
      const planned = await plan(tx, tx);
      const posted = await this.posting.post(tx, by, planned.draft);
      return { ...viewOf(planned), ...posted };
    });
  }

  private async stand(by: Caller, plan: Plan): Promise<PostedMovementView> {
    const planned = await plan(this.database.dataSource);
    const posted = await this.posting.postAlone(by, planned.draft, viewOf(planned));
    if (!posted) throw new NeedsTransaction();
    return posted;
  }
}

function viewOf({
  draft,
  warnings = [],
}: Planned): Omit<PostedMovementView, 'id' | 'number' | 'effectiveAt' | 'recordedAt' | 'backdated' | 'charges'> {
  const { warehouse, kind, reference, reasonCode, lines } = draft;
  const variances = variancesOf(lines);
  const detail = `Lines ${variances.map(({ lineNo }) => lineNo).join(', ')} were counted otherwise than their cartons make.`;
  return {
    kind,
    warehouseId: warehouse.id,
    warehouse: warehouse.code,
    reference: reference ?? null,
    reasonCode: reasonCode ?? null,
    lines: lines.map(lineView),
    variances,
    warnings: [...warnings, ...(variances.length > 0 ? [{ code: 'pallet-variance' as const, detail }] : [])],
  };
}
