import { Injectable } from '@nestjs/common';
import { Database, InvalidRequest, violates, type Caller, type Executor } from '@belay/platform';
import { WarehouseScope } from '../warehouses/warehouse-scope.service.js';
import type { PostedMovementView, Reversal } from './movement.contract.js';
import { AlreadyReversed, MovementNotFound } from './movement.problems.js';
import { linesOfMovement, movementById, type MovementLineRow, type MovementRow } from './movement.queries.js';
import type { NamedLine } from './movement.rules.js';
import { Submission, type Planned } from './submission.service.js';

const READ = 'wms.inventory:read';
const REVERSE = 'wms.inventory:reverse';

/** What was posted by mistake is taken back, by a movement of its own. */
@Injectable()
export class ReverseService {
  constructor(
    private readonly database: Database,
    private readonly warehouses: WarehouseScope,
    private readonly submission: Submission,
  ) {}

  async reverse(by: Caller, id: string, reversal: Reversal): Promise<PostedMovementView> {
    try {
      return await this.submission.submit(by, true, (on) => this.plan(on, by, id, reversal));
    } catch (error) {
      if (!violates(error, 'movement_is_reversed_once')) throw error;
      const [movement] = await movementById(this.database.dataSource, [id, null]);
      throw new AlreadyReversed(id, movement?.reversedByMovementId ?? null);
    }
  }

  private async plan(on: Executor, by: Caller, id: string, reversal: Reversal): Promise<Planned> {
    const movement = await this.reversible(on, by, id);
    const warehouse = await this.warehouses.writable(on, by, REVERSE, movement.warehouseId);
    const effectiveAt = timeOf(reversal, movement);
    const lines = await linesOfMovement(on, [id]);
    const { reasonCode, note } = reversal;
    const reference = movement.reference ?? undefined;
    return {
      draft: {
        warehouse,
        kind: 'REVERSAL',
        effectiveAt,
        reasonCode,
        note,
        reference,
        counterparty: movement.counterparty ?? undefined,
        reversesMovementId: id,
        lines: lines.map(negated),
      },
    };
  }

  private async reversible(on: Executor, by: Caller, id: string): Promise<MovementRow> {
    const [movement] = await movementById(on, [id, this.warehouses.sites(by, READ)]);
    if (!movement) throw new MovementNotFound(id);
    const { reversedByMovementId } = movement;
    if (reversedByMovementId !== null) throw new AlreadyReversed(id, reversedByMovementId);
    return movement;
  }
}

function timeOf({ effectiveAt }: Reversal, movement: MovementRow): Date | undefined {
  if (effectiveAt === undefined) return undefined;
  const at = new Date(effectiveAt === 'reversed' ? movement.effectiveAt : effectiveAt);
  if (at >= new Date(movement.effectiveAt)) return at;
  throw new InvalidRequest([{ pointer: '#/effectiveAt', detail: 'must not be before the movement that is reversed' }]);
}

function negated({ units, palletsReported, palletsComputed, ...line }: MovementLineRow): NamedLine {
  return { ...line, units: -BigInt(units), palletsReported, palletsComputed };
}
