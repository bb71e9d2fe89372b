import { Injectable } from '@nestjs/common';
import { Database, type Caller } from '@belay/platform';
import type { EntityManager } from 'typeorm';
import {
  jobOfTicket,
  lockJobs,
  lockTicket,
  lockTokens,
  timeNow,
  type JobRow,
  type TokenRow,
} from './lifecycle/lock.queries.js';
import { TokenNotFound } from './production.problems.js';

/** Why tokens change: kept in the events and told to the assignment policy. */
type Cause =
  | 'spawn'
  | 'start'
  | 'pause'
  | 'resume'
  | 'complete'
  | 'qc'
  | 'form'
  | 'approve'
  | 'scrap'
  | 'replacement'
  | 'move'
  | 'hold'
  | 'release'
  | 'adjust'
  | 'assign'
  | 'override'
  | 'claim'
  | 'accept'
  | 'reject'
  | 'cancel'
  | 'wake'
  | 'wait'
  | 'timeout'
  | 'unavailable'
  | 'plan-changed'
  | 'correct'
  | 'repair'
  | 'import'
  | 'publish'
  | 'limit'
  | 'job';

/** What every command carries inside its one transaction. */
export interface Command {
  readonly tx: EntityManager;
  /** The server's time, one for the whole command and taken after its locks: no earlier command has a later one. */
  readonly at: Date;
  readonly by: Caller;
  /** Null when Belay itself acts. */
  readonly actorId: string | null;
  readonly requestId: string | null;
  readonly cause: Cause;
  /** What the operator's device said of itself. */
  readonly device?: Device | undefined;
}

export interface Device {
  readonly seq?: number | undefined;
  readonly time?: Date | undefined;
}

/** A job ticket with its newest instance, as they are under the command's lock. */
export type LockedJob = JobRow;

/** A token under the command's lock, with its job. */
export type LockedToken = TokenRow & JobRow & { readonly instanceId: string };

interface Reason {
  readonly cause: Cause;
  readonly device?: Device | undefined;
}

/** Gives the time; a test may give its own. */
@Injectable()
export class Clock {
  /** Null: what the database says, which is everybody's. */
  given: Date | null = null;
}

/**
 * Begins commands: one transaction each, with the locks in their one order (job ticket, parallel groups, tokens by id) and
 * the time once they are held. What follows may lock assignments, sessions, the scope of a limit and the balance key, in
 * this order.
 */
@Injectable()
export class Commands {
  constructor(
    private readonly clock: Clock,
    private readonly database: Database,
  ) {}

  /** A command of its own transaction that locks nothing yet. */
  run<Answer>(by: Caller, reason: Reason, work: (command: Command) => Promise<Answer>): Promise<Answer> {
    return this.database.transaction(by, async (tx) => work(await this.begin(tx, by, reason)));
  }

  /**
   * A command on tokens. `route`: their jobs are held alone, so that who comes last sees that nothing lives any more; for
   * whatever may move a token. `work`: their jobs cannot be paused or cancelled meanwhile; for whatever leaves tokens where
   * they are. The tokens come in the order of their ids; one that nobody knows is 404 `token-not-found`.
   */
  onTokens<Answer>(
    by: Caller,
    tokenIds: readonly string[],
    reason: Reason & { readonly hold: 'route' | 'work' },
    work: (command: Command, tokens: readonly LockedToken[]) => Promise<Answer>,
  ): Promise<Answer> {
    return this.database.transaction(by, async (tx) => {
      const { command, tokens } = await this.beginOnTokens(tx, by, tokenIds, reason);
      return work(command, tokens);
    });
  }

  /** As `onTokens` with one. */
  onToken<Answer>(
    by: Caller,
    tokenId: string,
    reason: Reason & { readonly hold: 'route' | 'work' },
    work: (command: Command, token: LockedToken) => Promise<Answer>,
  ): Promise<Answer> {
    return this.onTokens(by, [tokenId], reason, (command, [token]) => {
      if (!token) throw new TokenNotFound([tokenId]);
      return work(command, token);
    });
  }

  /** A command on a job ticket, which is held alone; undefined when there is none. */
  onTicket<Answer>(
    by: Caller,
    ticketId: string,
    reason: Reason,
    work: (command: Command, job: LockedJob | undefined) => Promise<Answer>,
  ): Promise<Answer> {
    return this.database.transaction(by, async (tx) => {
      const { command, job } = await this.beginOnTicket(tx, by, ticketId, reason);
      return work(command, job);
    });
  }

  /** For who has opened the transaction and taken whatever locks the command needs. */
  async begin(tx: EntityManager, by: Caller, { cause, device }: Reason): Promise<Command> {
    const [now] = await timeNow(tx, [this.clock.given]);
    if (!now) throw new Error('The database told no time');
    return commandOf(tx, by, now.at, { cause, device });
  }

  /** As `onTokens`, for who has opened the transaction and holds no lock of a token yet. */
  async beginOnTokens(
    tx: EntityManager,
    by: Caller,
    tokenIds: readonly string[],
    { hold, ...reason }: Reason & { readonly hold: 'route' | 'work' },
  ): Promise<{ command: Command; tokens: LockedToken[] }> {
    await lockJobs[hold](tx, [tokenIds]);
    const tokens = await lockTokens(tx, [tokenIds, this.clock.given]);
    const known = new Set(tokens.map(({ id }) => id));
    const unknown = tokenIds.filter((id) => !known.has(id));
    const [first] = tokens;
    if (unknown.length > 0 || !first) throw new TokenNotFound(unknown);
    return { command: commandOf(tx, by, first.at, reason), tokens };
  }

  /** Tokens that the command needs as well, of a job that it holds alone; unknown ones are left out. */
  async lockMore({ tx, at }: Command, tokenIds: readonly string[]): Promise<LockedToken[]> {
    return tokenIds.length > 0 ? lockTokens(tx, [tokenIds, at]) : [];
  }

  /** The job as the command has made it by now. */
  async jobNow({ tx, at }: Command, ticketId: string): Promise<LockedJob | undefined> {
    const [job] = await jobOfTicket(tx, [ticketId, at]);
    return job;
  }

  /** As `onTicket`, for who has opened the transaction and holds no lock yet. */
  async beginOnTicket(
    tx: EntityManager,
    by: Caller,
    ticketId: string,
    reason: Reason,
  ): Promise<{ command: Command; job: LockedJob | undefined }> {
    await lockTicket(tx, [ticketId]);
    const [job] = await jobOfTicket(tx, [ticketId, this.clock.given]);
    return { command: job ? commandOf(tx, by, job.at, reason) : await this.begin(tx, by, reason), job };
  }
}

function commandOf(tx: EntityManager, by: Caller, at: Date, reason: Reason): Command {
  const actorId = by.kind === 'system' ? null : by.accountId;
  return { tx, at, by, actorId, requestId: by.requestId, ...reason };
}
