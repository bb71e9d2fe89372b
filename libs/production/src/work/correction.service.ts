import { Injectable } from '@nestjs/common';
import { Database, type Caller } from '@belay/platform';
import { TokenStore } from '../lifecycle/token.store.js';
import { Commands, type Command, type LockedToken } from '../production.command.js';
import { TokenState } from '../production.problems.js';
import { SiteScope } from '../site-scope.service.js';
import { AssignmentRows } from './assignment-rows.service.js';
import { Reassignment } from './reassignment.service.js';
import { scopeOf } from './scope.rules.js';
import type { CorrectSession, SessionView } from './session.contract.js';
import { lockSession, sessionPlace } from './session-list.queries.js';
import type { SessionRow } from './session.queries.js';
import { sessionViewOf } from './session.rules.js';
import { Wake } from './wake.service.js';
import { SUPERVISE } from './work-access.service.js';
import { SessionNotFound, SessionState } from './work.problems.js';
import { WorkNodes } from './work-node.service.js';
import { WorkSessions } from './work-sessions.service.js';

/** How supervisors put right what people left behind. */
@Injectable()
export class CorrectionService {
  constructor(
    private readonly assignments: AssignmentRows,
    private readonly commands: Commands,
    private readonly database: Database,
    private readonly nodes: WorkNodes,
    private readonly reassignment: Reassignment,
    private readonly scope: SiteScope,
    private readonly sessions: WorkSessions,
    private readonly tokens: TokenStore,
    private readonly wake: Wake,
  ) {}

  async correct(by: Caller, id: string, { act, reason }: CorrectSession): Promise<SessionView> {
    const [place] = await sessionPlace(this.database.dataSource, [id]);
    if (!place) throw new SessionNotFound(id);
    this.scope.admit(by, SUPERVISE, place.siteId, () => new SessionNotFound(id));
    return this.commands.onToken(by, place.tokenId, { cause: 'correct', hold: 'work' }, async (command, token) => {
      await this.assignments.lockOpen(command.tx, [token.id]);
      const [session] = await lockSession(command.tx, [id]);
      if (!session) throw new SessionNotFound(id);
      const after =
        act === 'reopen'
          ? await this.reopen(command, token, session)
          : await this.close(command, token, session, reason);
      return sessionViewOf(after, command.at);
    });
  }

  /** Nobody expects the session to be resumed: the token is free for somebody else. A supervisor can reverse it. */
  async abandon(command: Command, token: LockedToken, session: SessionRow): Promise<void> {
    await this.sessions.abandon(command, [session.id]);
    if (session.helpType !== 'assist') await this.release(command, token, session, 'abandoned');
  }

  private async reopen(command: Command, token: LockedToken, session: SessionRow): Promise<SessionRow> {
    if (session.status !== 'abandoned') throw new SessionState(session);
    const { operatorId, nodeId, helpType } = session;
    if (token.nodeId !== nodeId || token.status !== 'ready') throw new TokenState(token);
    const [open] = (await this.assignments.lockOpen(command.tx, [token.id])).values();
    if (open && open.status !== 'assigned' && open.status !== 'accepted') throw new TokenState(token);
    const [reopened = session] = await this.sessions.reopen(command, [session.id]);
    if (helpType === 'assist') return reopened;
    await this.assignments.cancelOpen(command, [token], 'session-reopened');
    const assignee = { type: 'operator', operatorId, teamId: null } as const;
    const draft = { tokenId: token.id, nodeId, assignee, method: 'REASSIGN', status: 'started' } as const;
    const made = await this.assignments.insert(command, [draft]);
    await this.assignments.change(
      command,
      made.map(({ id }) => ({ id, from: ['started'], to: 'paused' })),
    );
    const payload = { operatorId, sessionId: session.id, corrected: true };
    // It passes through being worked on, as every paused token has.
    await this.tokens.write(command, {
      changes: [{ id: token.id, from: ['ready'], to: 'active' }],
      events: [{ tokenId: token.id, type: 'NODE_START', nodeId, payload }],
    });
    await this.tokens.write(command, {
      changes: [{ id: token.id, from: ['active'], to: 'paused' }],
      events: [{ tokenId: token.id, type: 'NODE_PAUSE', nodeId, payload }],
    });
    return reopened;
  }

  private async close(command: Command, token: LockedToken, session: SessionRow, reason: string): Promise<SessionRow> {
    if (session.status === 'completed') throw new SessionState(session);
    const [closed = session] = await this.sessions.end(command, [session.id]);
    const had = session.status !== 'abandoned' && session.helpType !== 'assist';
    if (had) await this.release(command, token, session, reason);
    return closed;
  }

  private async release(command: Command, token: LockedToken, session: SessionRow, reason: string): Promise<void> {
    await this.assignments.cancelOpen(command, [token], reason);
    if (token.status !== 'active' && token.status !== 'paused') return;
    await this.tokens.write(command, {
      changes: [{ id: token.id, from: ['active', 'paused'], to: 'ready' }],
      events: [
        { tokenId: token.id, type: 'RELEASED', nodeId: token.nodeId, payload: { reason, sessionId: session.id } },
      ],
    });
    const node = await this.nodes.node(command.tx, token.versionId, session.nodeId);
    await this.wake.ring(command, [scopeOf(node, token.instanceId)]);
    await this.reassignment.decide(
      command,
      [{ ...token, status: 'ready' }],
      'cancel',
      new Map([[token.id, [session.operatorId]]]),
    );
  }
}
