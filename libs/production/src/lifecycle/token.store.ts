import { randomUUIDv7 } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Database, Outbox } from '@belay/platform';
import type { Command } from '../production.command.js';
import { TokenState } from '../production.problems.js';
import { statesOfTokens, writeTokens } from './token-write.queries.js';
import {
  mayEndAs,
  type EventType,
  type HoldCode,
  type QueueReason,
  type TokenStatus,
  type VisitOutcome,
} from './token.rules.js';

/** What of a token can be set beside its status. */
export interface TokenFields {
  readonly nodeId?: string;
  readonly holdCode?: HoldCode | null;
  readonly queueReason?: QueueReason | null;
  readonly queueEnteredAt?: Date | null;
  readonly priority?: number;
  readonly qty?: number;
  readonly reworkCount?: number;
  readonly reworkLimit?: number | null;
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly qcResult?: Readonly<Record<string, unknown>> | null;
  readonly mergedInto?: string;
  readonly cancelType?: 'qc_fail' | 'redesign' | 'permanent';
  readonly cancelReason?: string;
}

interface StatusChange {
  /** What the token must be, else 409 `token-state`. */
  readonly from: readonly TokenStatus[];
  /** A terminal status also takes the token off its node. */
  readonly to: TokenStatus;
  /** What is not named stays as it is. */
  readonly set?: TokenFields;
}

export interface TokenChange extends StatusChange {
  readonly id: string;
}

export interface TokenEvent {
  readonly tokenId: string;
  readonly type: EventType;
  readonly nodeId: string | null;
  readonly payload?: Readonly<Record<string, unknown>>;
}

/** What happens to the open visit of a token. Its seconds are summed up from the sessions, which must be closed before. */
export interface VisitMark {
  readonly tokenId: string;
  readonly admitted?: true;
  readonly started?: true;
  readonly completed?: true;
  readonly leftAs?: VisitOutcome;
  readonly qcResult?: Readonly<Record<string, unknown>>;
}

export interface VisitEntry {
  readonly tokenId: string;
  readonly nodeId: string;
  /** Whether the node has let the token in, as opposed to having it wait. */
  readonly admitted: boolean;
  /** Given when it goes on at once. */
  readonly leftAs?: VisitOutcome;
  readonly estimatedWaitMinutes?: number | null;
}

/** What a step changes, written together; events in their order. */
export interface TokenStep {
  readonly made?: readonly MadeToken[];
  readonly groups?: readonly NewGroup[];
  readonly changes?: readonly TokenChange[];
  readonly marks?: readonly VisitMark[];
  readonly entries?: readonly VisitEntry[];
  readonly events?: readonly TokenEvent[];
}

export interface NewToken {
  readonly id: string;
  readonly instanceId: string;
  readonly type: 'batch' | 'piece' | 'component';
  readonly serial: string | null;
  readonly serialRev?: number;
  readonly parentId?: string | null;
  readonly groupId?: string | null;
  readonly branchKey?: string | null;
  readonly branchNo?: number | null;
  readonly nodeId: string;
  readonly status: 'ready' | 'waiting';
  readonly qty: number;
  readonly reworkCount?: number;
  readonly reworkLimit?: number | null;
  readonly priority?: number;
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly spawnSeq?: number | null;
  readonly replacesTokenId?: string | null;
  readonly firstSpawnedAt?: Date;
}

/** A new token as it is after whatever its first step brought. */
export type MadeToken = Omit<NewToken, 'status'> & TokenFields & { readonly status: TokenStatus };

/** The children of one split of one token. */
export interface NewGroup {
  readonly id: string;
  readonly parentId: string;
  readonly splitNodeId: string;
  readonly visitNo: number;
  readonly kind: 'COMPONENT' | 'FORK';
  readonly branches: number;
  readonly joinNodeId: string | null;
}

/** The only writer of tokens, of their visits and of their events. However many tokens, each call is one statement. */
@Injectable()
export class TokenStore {
  constructor(
    private readonly database: Database,
    private readonly outbox: Outbox,
  ) {}

  /** All of them, or 409 `token-state` with the first that is something else by now. */
  changeStatus(command: Command, tokenIds: readonly string[], change: StatusChange): Promise<void> {
    return this.write(command, { changes: tokenIds.map((id) => ({ id, ...change })) });
  }

  /** Keeps the events and announces each as `production.token-event`. */
  recordEvents(command: Command, events: readonly TokenEvent[]): Promise<void> {
    return this.write(command, { events });
  }

  openVisits(command: Command, entries: readonly VisitEntry[]): Promise<void> {
    return this.write(command, { entries });
  }

  /** Notes on the open visits of the tokens what became of them; `leftAs` ends them. */
  markVisits(command: Command, marks: readonly VisitMark[]): Promise<void> {
    return this.write(command, { marks });
  }

  async write(command: Command, step: TokenStep): Promise<void> {
    const { made = [], groups = [], changes = [], marks = [], entries = [], events = [] } = step;
    if (made.length + groups.length + changes.length + marks.length + entries.length + events.length === 0) return;
    const { tx, at, actorId, requestId, device } = command;
    for (const { from, to } of changes) {
      if (!from.every((one) => mayEndAs(one, to)))
        throw new Error(`A token never goes from ${from.join(' or ')} to ${to}`);
    }
    const changed = await writeTokens(tx, [
      JSON.stringify(changes.map(({ id, from, to, set = {} }) => ({ id, from, to, fields: set }))),
      JSON.stringify(marks),
      JSON.stringify(entries.map((entry, no) => ({ no, id: randomUUIDv7(), ...entry }))),
      JSON.stringify(events.map((event, no) => ({ no, ...withStatus(event, changes) }))),
      at,
      actorId,
      requestId,
      device?.seq ?? null,
      device?.time ?? null,
      JSON.stringify(made),
      JSON.stringify(groups),
    ]);
    if (changed.length < changes.length) await this.refuse(command, changes);
    if (events.length === 0) return;
    this.database.afterCommit(tx, () => {
      this.outbox.ring();
    });
  }

  /** What was changed in vain is put back with the transaction, so only tokens that somebody else changed are named. */
  private async refuse({ tx }: Command, changes: readonly TokenChange[]): Promise<never> {
    const expected = new Map(changes.map(({ id, from, to }) => [id, new Set<string>([...from, to])]));
    const states = await statesOfTokens(tx, [[...expected.keys()]]);
    const other = states.find(({ id, status }) => expected.get(id)?.has(status) !== true) ?? states[0];
    if (!other) throw new Error('A token has gone');
    throw new TokenState(other);
  }
}

/** Every entry of its history says what a token was afterwards, so that the token can be told from them. */
function withStatus(event: TokenEvent, changes: readonly TokenChange[]): TokenEvent {
  const status = event.payload?.['status'] ?? changes.find(({ id }) => id === event.tokenId)?.to;
  return status === undefined ? event : { ...event, payload: { ...event.payload, status } };
}
