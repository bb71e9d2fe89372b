import { Injectable } from '@nestjs/common';
import { InvalidRequest, violates, type Caller } from '@belay/platform';
import { TokenStore } from '../lifecycle/token.store.js';
import { Commands, type Command, type LockedToken } from '../production.command.js';
import { NotAssignee, OperatorBusy, TokenState } from '../production.problems.js';
import { assigneeOf } from './assignment-log.service.js';
import type { Assignee, NodeToAssign } from './assignment-policy.contract.js';
import type { AssignmentRow } from './assignment.queries.js';
import { AssignmentRows } from './assignment-rows.service.js';
import { teamsOfOperator } from './claim.queries.js';
import { clockWarnings, deviceOf } from './device.rules.js';
import { ResumeService } from './resume.service.js';
import type { StartWork, WorkView } from './session.contract.js';
import type { HelpType, SessionRow } from './session.queries.js';
import { sessionViewOf } from './session.rules.js';
import { WORK, WorkAccess } from './work-access.service.js';
import { WorkSessions } from './work-sessions.service.js';

/** What a start finds; all of it is locked. */
interface Situation {
  readonly command: Command;
  readonly token: LockedToken;
  readonly node: NodeToAssign;
  readonly operatorId: string;
  readonly asked: StartWork;
  readonly assignment: AssignmentRow | undefined;
  /** Of whoever has the work. */
  readonly owner: SessionRow | undefined;
}

/** How people begin to work: on what is theirs or nobody's, beside somebody or instead of somebody. */
@Injectable()
export class StartService {
  constructor(
    private readonly access: WorkAccess,
    private readonly assignments: AssignmentRows,
    private readonly commands: Commands,
    private readonly resuming: ResumeService,
    private readonly sessions: WorkSessions,
    private readonly tokens: TokenStore,
  ) {}

  async start(by: Caller, tokenId: string, asked: StartWork): Promise<WorkView> {
    const reason = { cause: 'start', hold: 'work', device: deviceOf(asked.device) } as const;
    try {
      return await this.commands.onToken(by, tokenId, reason, (command, token) => this.begin(command, token, asked));
    } catch (error) {
      throw violates(error, 'operator_works_on_one_thing') ? new OperatorBusy(null) : error;
    }
  }

  private async begin(command: Command, token: LockedToken, asked: StartWork): Promise<WorkView> {
    const { tx, by } = command;
    this.access.admit(by, WORK, token, asked.rowVersion);
    const node = await this.access.nodeFor(command, token, 'start');
    const assignment = (await this.assignments.lockOpen(tx, [token.id])).get(token.id);
    const open = await this.sessions.lockOpen(tx, [token.id], by.accountId);
    const here = open.filter(({ tokenId }) => tokenId === token.id);
    const owner = here.find(({ helpType }) => helpType !== 'assist');
    const situation = { command, token, node, operatorId: by.accountId, asked, assignment, owner };

    const mine = here.find(({ operatorId, status }) => operatorId === by.accountId && status === 'paused');
    if (mine && asked.mode === 'own') return this.resuming.go(command, token, node, mine, open);
    const busy = open.find(({ operatorId, status }) => operatorId === by.accountId && status === 'active');
    if (busy) throw new OperatorBusy(busy);
    if (asked.mode === 'assist') return this.assist(situation);
    return asked.mode === 'replace' ? this.replace(situation) : this.own(situation);
  }

  private async own(situation: Situation): Promise<WorkView> {
    const { command, token, node, operatorId, assignment } = situation;
    const target = await this.targetFor(situation);
    if (token.status !== 'ready') throw new TokenState(token);
    await this.access.refuseFull(command, token, node);
    await this.mayWork(situation, target);
    if (assignment) {
      await this.assignments.change(command, [
        { id: assignment.id, from: ['assigned', 'accepted'], to: 'started', operatorId },
      ]);
    } else {
      const draft = {
        tokenId: token.id,
        nodeId: node.id,
        assignee: target,
        method: 'MANUAL',
        status: 'started',
      } as const;
      await this.assignments.insert(command, [draft]);
    }
    return this.set(situation, 'own');
  }

  /** Beside whoever works; the work stays theirs. */
  private async assist(situation: Situation): Promise<WorkView> {
    const { command, token, node, operatorId, asked, owner } = situation;
    if (!owner || owner.operatorId === operatorId) throw new TokenState(token);
    await this.mayWork(situation, { type: 'operator', operatorId, teamId: null });
    const on = { tokenId: token.id, nodeId: node.id, operatorId, helpType: 'assist' } as const;
    const session = await this.sessions.begin(command, on, asked.device?.id ?? null);
    return viewOf(command, token, node.code, session);
  }

  /** Whoever had it has it no longer. */
  private async replace(situation: Situation): Promise<WorkView> {
    const { command, token, node, operatorId, asked, assignment, owner } = situation;
    const { reason } = asked;
    if (reason === undefined) {
      throw new InvalidRequest([{ pointer: '#/reason', detail: 'must be given to replace somebody' }]);
    }
    if (!assignment || assignment.operatorId === operatorId || token.status === 'waiting') throw new TokenState(token);
    const teamId = await this.claimingTeam(situation);
    if (teamId === undefined) throw new NotAssignee(assignment, []);
    const target = { type: 'operator', operatorId, teamId } as const;
    await this.access.refuseFull(command, token, node);
    await this.mayWork(situation, target);
    if (owner) await this.sessions.end(command, [owner.id]);
    await this.assignments.cancelOpen(command, [token], reason);
    const draft = { tokenId: token.id, nodeId: node.id, assignee: target, method: 'REASSIGN', note: reason } as const;
    await this.assignments.insert(command, [{ ...draft, status: 'started' }]);
    return this.set(situation, 'replace');
  }

  private async set(
    { command, token, node, operatorId, asked, assignment }: Situation,
    helpType: HelpType,
  ): Promise<WorkView> {
    const on = { tokenId: token.id, nodeId: node.id, operatorId, helpType };
    const session = await this.sessions.begin(command, on, asked.device?.id ?? null);
    const replaces = helpType === 'replace' ? { replaces: assignment?.operatorId ?? null, reason: asked.reason } : {};
    await this.tokens.write(command, {
      changes: [{ id: token.id, from: [token.status], to: 'active' }],
      marks: [{ tokenId: token.id, started: true }],
      events: [
        {
          tokenId: token.id,
          type: 'NODE_START',
          nodeId: node.id,
          payload: { operatorId, sessionId: session.id, ...replaces },
        },
      ],
    });
    return viewOf(command, { ...token, status: 'active', rowVersion: token.rowVersion + 1 }, node.code, session);
  }

  /** As whose the operator works on it: what is assigned to them or to their team, or else what their team may claim. */
  private async targetFor(situation: Situation): Promise<Assignee> {
    const { assignment, operatorId, owner } = situation;
    if (!assignment) {
      const teamId = await this.claimingTeam(situation);
      if (teamId === undefined) throw new NotAssignee({ teamId: null, operatorId: null }, []);
      return { type: 'operator', operatorId, teamId };
    }
    if (assignment.operatorId === operatorId) return assigneeOf(assignment);
    const offers = owner ? (['assist', 'replace'] as const) : (['replace'] as const);
    if (assignment.operatorId !== null || assignment.teamId === null) throw new NotAssignee(assignment, offers);
    const teams = await this.teamsOf(situation);
    if (!teams.some(({ teamId }) => teamId === assignment.teamId)) throw new NotAssignee(assignment, offers);
    return { type: 'team', operatorId, teamId: assignment.teamId };
  }

  private async claimingTeam(situation: Situation): Promise<string | undefined> {
    return (await this.teamsOf(situation)).find(({ mayClaim }) => mayClaim)?.teamId;
  }

  private teamsOf({ command, node, operatorId, token }: Situation) {
    return teamsOfOperator(command.tx, [operatorId, node.id, token.siteId]);
  }

  private mayWork({ command, token, node, asked }: Situation, target: Assignee): Promise<readonly string[]> {
    return this.access.mayWork(command, [token], node, target, { act: 'start', confirmed: asked.confirmUnavailable });
  }
}

function viewOf(command: Command, token: LockedToken, nodeCode: string, session: SessionRow): WorkView {
  const { id: tokenId, status, rowVersion } = token;
  return {
    tokenId,
    nodeCode,
    status,
    rowVersion,
    session: sessionViewOf(session, command.at),
    warnings: clockWarnings(command.at, command.device),
  };
}
