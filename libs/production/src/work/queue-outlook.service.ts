import { Injectable } from '@nestjs/common';
import type { Executor } from '@belay/platform';
import type { EntityManager } from 'typeorm';
import type { QueueReason } from '../lifecycle/token.rules.js';
import type { NodeToAssign } from './assignment-policy.contract.js';
import { roomsOf } from './limit.queries.js';
import { arrivalsOf, limitAfter, type LimitReason, type Limits, type Occupancy } from './limit.rules.js';
import type { StandingToken } from './node-queue.queries.js';
import { scopeColumns, scopeKey, scopeOf } from './scope.rules.js';
import { Turns } from './turns.service.js';
import { WaitEstimates, type KnowsPeople } from './wait-estimate.service.js';

/** What is allowed where tokens are counted together, and what there is. */
export interface Room {
  readonly limits: Limits;
  readonly occupancy: Occupancy;
}

/** A token with the node where it is, or would be. */
export interface Visitor {
  readonly token: StandingToken;
  readonly node: NodeToAssign;
}

/** How tokens would fare with limits and in queues, for those who only look: nothing is locked. */
@Injectable()
export class QueueOutlook {
  constructor(
    private readonly estimates: WaitEstimates,
    private readonly turns: Turns,
  ) {}

  /** One for each, and the same one for those that are counted together; what is in it are all others. */
  async rooms(on: Executor, visitors: readonly Visitor[]): Promise<Room[]> {
    const found = await this.read(on, visitors, true);
    return visitors.map(({ node, token }) => {
      const room = found.get(scopeKey(scopeOf(node, token.instanceId)));
      if (!room) throw new Error('Every room that is asked about is told');
      return room;
    });
  }

  /**
   * The limit that keeps a token out: of one that is there already and was let in, none; of one that waits there, when
   * others have their turn before; of any other, as if it arrived now. QUEUE_LIMIT: not even the queue has room.
   */
  async limit(on: Executor, visitor: Visitor, at: Date): Promise<LimitReason | 'QUEUE_LIMIT' | null> {
    const { node, token } = visitor;
    const isThere = token.nodeId === node.id;
    if (isThere && token.status !== 'waiting') return null;
    const [room] = (await this.read(on, [visitor], false)).values();
    if (!room) return null;
    const { limits, occupancy } = room;
    if (isThere) {
      // Who waits for people counts among those before, at most as many as wait for the limits in all.
      const before = occupancy.queued === 0 ? 0 : (await this.position(on, visitor, at)) - 1;
      return limitAfter(limits, occupancy, Math.min(before, occupancy.queued));
    }
    const [arrival] = arrivalsOf(limits, occupancy, [false]);
    return arrival?.verdict === 'full' ? 'QUEUE_LIMIT' : (arrival?.reason ?? null);
  }

  /** Where a token waits that is about to queue, or does already, and for how many minutes; null when nobody can say. */
  async queued(
    tx: EntityManager,
    visitor: Visitor & { readonly queueReason: QueueReason },
    at: Date,
    people: KnowsPeople,
  ): Promise<{ readonly position: number; readonly minutes: number | null }> {
    const position = await this.position(tx, visitor, at);
    const minutes = await this.estimates.of(tx, [{ ...visitor, position }], at, people);
    return { position, minutes: minutes.get(visitor.token.id) ?? null };
  }

  /** Of one that queues there already as it does, of any other as if it came now. */
  private async position(on: Executor, { node, token }: Visitor, at: Date): Promise<number> {
    const { id: tokenId, priority, dueAt, instanceId } = token;
    const enteredAt = (token.nodeId === node.id ? token.queuedSince : null) ?? at;
    const turn = { tokenId, priority, dueAt, enteredAt, scope: scopeOf(node, instanceId) };
    return (await this.turns.positions(on, [turn])).get(tokenId) ?? 1;
  }

  private async read(on: Executor, visitors: readonly Visitor[], all: boolean): Promise<Map<string, Room>> {
    const { values } = scopeColumns(visitors.map(({ node, token }) => scopeOf(node, token.instanceId)));
    const rows = await roomsOf(on, [...values, visitors.map(({ token }) => token.id), all]);
    return new Map(
      rows.map(({ key, concurrency, wip, queue, ...occupancy }) => [
        key,
        { limits: { concurrency, wip, queue }, occupancy },
      ]),
    );
  }
}
