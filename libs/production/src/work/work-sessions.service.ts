import { randomUUIDv7 } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { TokenStore } from '../lifecycle/token.store.js';
import type { Command, LockedToken } from '../production.command.js';
import { AssignmentRows } from './assignment-rows.service.js';
import {
  abandonSessions,
  endSessions,
  endSessionsOfTokens,
  insertSession,
  lockOpenSessions,
  pauseSessions,
  reopenSessions,
  resumeSessions,
  type HelpType,
  type SessionRow,
} from './session.queries.js';

/** What the sessions on a token came to. */
export interface Worked {
  /** Of whoever had the work. */
  readonly workSeconds: number;
  /** Of those who helped. */
  readonly assistSeconds: number;
  readonly pauseSeconds: number;
}

/**
 * The only writer of sessions: who works on what, and for how long. Work and pause of a session are exactly the time
 * from its beginning to its end.
 */
@Injectable()
export class WorkSessions {
  constructor(
    private readonly assignments: AssignmentRows,
    private readonly tokens: TokenStore,
  ) {}

  /** The sessions on the tokens that are not over, and what the operator works on now. Locked, after assignments. */
  lockOpen(tx: EntityManager, tokenIds: readonly string[], operatorId: string | null): Promise<SessionRow[]> {
    return lockOpenSessions(tx, [tokenIds, operatorId]);
  }

  async begin(
    { tx, at }: Command,
    on: { readonly tokenId: string; readonly nodeId: string; readonly operatorId: string; readonly helpType: HelpType },
    deviceId: string | null,
  ): Promise<SessionRow> {
    const values = [randomUUIDv7(), on.tokenId, on.nodeId, on.operatorId, on.helpType, at, deviceId];
    const [session] = await insertSession(tx, values);
    if (!session) throw new Error('No session was made');
    return session;
  }

  pause({ tx, at }: Command, sessionIds: readonly string[], reason: string | null): Promise<SessionRow[]> {
    return pauseSessions(tx, [sessionIds, at, reason]);
  }

  resume({ tx, at }: Command, sessionIds: readonly string[]): Promise<SessionRow[]> {
    return resumeSessions(tx, [sessionIds, at]);
  }

  end({ tx, at }: Command, sessionIds: readonly string[]): Promise<SessionRow[]> {
    return endSessions(tx, [sessionIds, at]);
  }

  abandon({ tx }: Command, sessionIds: readonly string[]): Promise<SessionRow[]> {
    return abandonSessions(tx, [sessionIds]);
  }

  reopen({ tx }: Command, sessionIds: readonly string[]): Promise<SessionRow[]> {
    return reopenSessions(tx, [sessionIds]);
  }

  /** Whoever works on the tokens stops, helpers too. What each token took is told by its id; those nobody worked on are left out. */
  async finish({ tx, at }: Command, tokenIds: readonly string[]): Promise<Map<string, Worked>> {
    const worked = new Map<string, Worked>();
    if (tokenIds.length === 0) return worked;
    for (const session of await endSessionsOfTokens(tx, [tokenIds, at])) {
      const before = worked.get(session.tokenId) ?? { workSeconds: 0, assistSeconds: 0, pauseSeconds: 0 };
      const helped = session.helpType === 'assist';
      worked.set(session.tokenId, {
        workSeconds: before.workSeconds + (helped ? 0 : session.workSeconds),
        assistSeconds: before.assistSeconds + (helped ? session.workSeconds : 0),
        pauseSeconds: before.pauseSeconds + (helped ? 0 : session.pauseSeconds),
      });
    }
    return worked;
  }

  /**
   * Everybody who works on the tokens pauses, and with them the tokens and assignments that are being worked on. Tokens
   * that nobody works on stay as they are. Says who was interrupted.
   */
  async pauseAll(command: Command, tokens: readonly LockedToken[], reason: string): Promise<SessionRow[]> {
    const ids = tokens.map(({ id }) => id);
    const open = await this.assignments.lockOpen(command.tx, ids);
    const sessions = await this.lockOpen(command.tx, ids, null);
    const running = sessions.filter(({ status }) => status === 'active').map(({ id }) => id);
    const paused = await this.pause(command, running, reason);
    const active = tokens.filter(({ status }) => status === 'active');
    await this.assignments.change(
      command,
      [...open.values()]
        .filter(({ status }) => status === 'started')
        .map(({ id }) => ({ id, from: ['started'], to: 'paused' })),
    );
    await this.tokens.write(command, {
      changes: active.map(({ id }) => ({ id, from: ['active'], to: 'paused' })),
      events: active.map(({ id, nodeId }) => ({ tokenId: id, type: 'NODE_PAUSE', nodeId, payload: { reason } })),
    });
    return paused;
  }
}
