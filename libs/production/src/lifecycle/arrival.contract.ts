import type { PublishedNode } from '../graphs/published-version.rules.js';
import type { QueueReason } from './token.rules.js';

/** A token on its way to a node where people work. Its row is locked and still says where it was before. */
export interface Arrival {
  readonly tokenId: string;
  readonly instanceId: string;
  readonly ticketId: string;
  readonly siteId: string;
  readonly graphId: string;
  readonly graphVersionId: string;
  readonly qty: number;
  readonly priority: number;
  readonly dueAt: Date | null;
  readonly node: PublishedNode;
  /** Whether it must be let into the queue however long that is: what goes back or was moved by hand has no other place. */
  readonly mayOverfill: boolean;
}

/**
 * What becomes of an arrival. `ready`: the node lets it in. `waiting`: it queues. `full`: not even the queue has room, and
 * it stays where it was. Who answers keeps what belongs to it (whom it is for) until the token has been moved.
 */
export type Placed =
  | { readonly tokenId: string; readonly outcome: 'ready' }
  | {
      readonly tokenId: string;
      readonly outcome: 'waiting';
      readonly queueReason: QueueReason;
      readonly position: number | null;
      readonly estimatedWaitMinutes: number | null;
    }
  | { readonly tokenId: string; readonly outcome: 'full' };

/**
 * How tokens are let in where people work; `Placement` is it. `place` takes the locks of the scopes, counts, and asks the
 * policy: it writes nothing. Then the tokens are moved, with their visits and the events NODE_ENTER and QUEUED; `settle`
 * then writes the assignments and tells the policy what became of it. Both are called once in a command.
 */
export interface ArrivalPlacement<Command> {
  place(command: Command, arrivals: readonly Arrival[]): Promise<readonly Placed[]>;
  settle(command: Command, placed: readonly Placed[]): Promise<void>;
}
