import { Injectable } from '@nestjs/common';
import type { Caller } from '@belay/platform';
import { TokenStore } from '../lifecycle/token.store.js';
import { Commands, type Command, type LockedToken } from '../production.command.js';
import { TokenState } from '../production.problems.js';
import { AssignmentRows } from './assignment-rows.service.js';
import { clockWarnings, deviceOf } from './device.rules.js';
import { scopeOf } from './scope.rules.js';
import type { PauseWork, WorkView } from './session.contract.js';
import type { SessionRow } from './session.queries.js';
import { sessionViewOf } from './session.rules.js';
import { Wake } from './wake.service.js';
import { SUPERVISE, WORK, WorkAccess } from './work-access.service.js';
import { WorkNodes } from './work-node.service.js';
import { WorkSessions } from './work-sessions.service.js';

/** How work rests. Whoever pauses gives their place to somebody else. */
@Injectable()
export class PauseService {
  constructor(
    private readonly access: WorkAccess,
    private readonly assignments: AssignmentRows,
    private readonly commands: Commands,
    private readonly nodes: WorkNodes,
    private readonly sessions: WorkSessions,
    private readonly tokens: TokenStore,
    private readonly wake: Wake,
  ) {}

  /** One's own session; a supervisor also that of whoever has the work. */
  pause(by: Caller, tokenId: string, asked: PauseWork): Promise<WorkView> {
    const reason = { cause: 'pause', hold: 'work', device: deviceOf(asked.device) } as const;
    return this.commands.onToken(by, tokenId, reason, async (command, token) => {
      this.access.admit(by, WORK, token, asked.rowVersion);
      await this.assignments.lockOpen(command.tx, [tokenId]);
      const open = (await this.sessions.lockOpen(command.tx, [tokenId], null)).filter(
        ({ status }) => status === 'active',
      );
      const supervises = by.may(SUPERVISE, token.siteId);
      const session =
        open.find(({ operatorId }) => operatorId === by.accountId) ??
        open.find(({ helpType }) => supervises && helpType !== 'assist');
      if (!session) throw new TokenState(token);
      const paused = await this.rest(command, token, session, asked.reason ?? null);
      const node = await this.nodes.node(command.tx, token.versionId, session.nodeId);
      const owns = session.helpType !== 'assist';
      return {
        tokenId,
        nodeCode: node.code,
        status: owns ? 'paused' : token.status,
        rowVersion: token.rowVersion + (owns ? 1 : 0),
        session: sessionViewOf(paused, command.at),
        warnings: clockWarnings(command.at, command.device),
      };
    });
  }

  /** Pauses one active session, and its token when whoever has the work pauses. */
  async rest(command: Command, token: LockedToken, session: SessionRow, reason: string | null): Promise<SessionRow> {
    const [paused = session] = await this.sessions.pause(command, [session.id], reason);
    if (session.helpType === 'assist') return paused;
    const assignment = (await this.assignments.lockOpen(command.tx, [token.id])).get(token.id);
    if (assignment) await this.assignments.change(command, [{ id: assignment.id, from: ['started'], to: 'paused' }]);
    const payload = { operatorId: session.operatorId, sessionId: session.id, reason };
    await this.tokens.write(command, {
      changes: [{ id: token.id, from: ['active'], to: 'paused' }],
      events: [{ tokenId: token.id, type: 'NODE_PAUSE', nodeId: session.nodeId, payload }],
    });
    const node = await this.nodes.node(command.tx, token.versionId, session.nodeId);
    await this.wake.ring(command, [scopeOf(node, token.instanceId)]);
    return paused;
  }
}
