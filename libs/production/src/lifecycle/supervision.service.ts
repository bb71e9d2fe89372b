import { Injectable } from '@nestjs/common';
import { InvalidRequest, type Caller } from '@belay/platform';
import { carriesOn } from '../graphs/graph.rules.js';
import type { PublishedNode, PublishedVersion } from '../graphs/published-version.rules.js';
import { Versions } from '../graphs/version.reader.js';
import { Commands, type Command, type LockedToken } from '../production.command.js';
import type { Reasoned } from '../production.contract.js';
import { JobState, TargetNotAllowed, TokenState } from '../production.problems.js';
import { AssignmentRows } from '../work/assignment-rows.service.js';
import { refuseUnlessRunning, WorkAccess } from '../work/work-access.service.js';
import { WorkSessions } from '../work/work-sessions.service.js';
import { resolveFinding } from './finding.queries.js';
import { forgetArrivals, groupsById } from './group.queries.js';
import { Journey } from './journey.rules.js';
import { FORCE } from './qc.service.js';
import { Routing, type Departures } from './routing.service.js';
import { replacementMode, Scrapping } from './scrapping.service.js';
import type { AdjustToken, HoldToken, MoveToken, ScrapToken, StepView } from './step.contract.js';
import { StepViews } from './step-view.service.js';
import { isLive } from './token.rules.js';
import { hasReplacement, lastNodeOf } from './supervision.queries.js';
import type { Traveller } from './traveller.rules.js';

const SCRAP = 'production.token:scrap';
/** A token held for one of these is done where it is and only found no way on. */
const onTheWay: readonly (string | null)[] = ['NO_ROUTE', 'AMBIGUOUS_ROUTE', 'QUEUE_LIMIT'];

interface Case {
  readonly command: Command;
  readonly locked: LockedToken;
  readonly journey: Journey;
  readonly version: PublishedVersion;
}

/** What supervisors do to tokens by hand, always with a reason. */
@Injectable()
export class Supervision {
  constructor(
    private readonly access: WorkAccess,
    private readonly assignments: AssignmentRows,
    private readonly commands: Commands,
    private readonly routing: Routing,
    private readonly scrapping: Scrapping,
    private readonly sessions: WorkSessions,
    private readonly versions: Versions,
    private readonly views: StepViews,
  ) {}

  scrap(by: Caller, tokenId: string, { reason, note, rowVersion }: ScrapToken): Promise<StepView> {
    return this.onLive(by, tokenId, { cause: 'scrap', permission: SCRAP, rowVersion }, async (one, token) => {
      const { command, journey, version, locked } = one;
      refuseUnlessRunning(locked);
      const mode = replacementMode(version.node(token.nodeId));
      await this.scrapping.scrap(command, journey, [token], { reason, note });
      if (mode === 'manual' || mode === 'none') return {};
      return this.scrapping.replace(command, journey, version, token.facts, mode);
    });
  }

  /** Makes what comes in the place of a scrapped token, once. */
  replace(by: Caller, tokenId: string, { reason }: Reasoned): Promise<StepView> {
    return this.commands.onToken(by, tokenId, { cause: 'replacement', hold: 'route' }, async (command, locked) => {
      this.access.admit(by, SCRAP, locked);
      refuseUnlessRunning(locked);
      const { tx } = command;
      const [made] = await hasReplacement(tx, [tokenId]);
      if (locked.status !== 'scrapped' || made?.replaced !== false) throw new TokenState(locked);
      const version = await this.versions.get(tx, locked.versionId);
      const journey = new Journey(locked);
      const [last] = await lastNodeOf(tx, [tokenId]);
      const mode = last ? replacementMode(version.node(last.nodeId)) : 'manual';
      const how = mode === 'none' ? 'manual' : mode;
      const departures = await this.scrapping.replace(command, journey, version, locked, how, reason);
      if (journey.travellers.length === 0)
        throw new TokenState(locked, 'What it was a part of has gone on without it.');
      await this.routing.run(command, journey, departures);
      return this.views.of(command, journey, locked);
    });
  }

  /** To another place where people work, of the same branch. */
  move(by: Caller, tokenId: string, { nodeCode, reason, rowVersion }: MoveToken): Promise<StepView> {
    return this.onLive(by, tokenId, { cause: 'move', permission: FORCE, rowVersion }, async (one, token) => {
      const { command, locked, version } = one;
      refuseUnlessRunning(locked);
      if (version.node(token.nodeId).type === 'split') throw new TokenState(locked, 'It waits for its parts.');
      const allowed = await this.targetsOf(one, token);
      const target = allowed.find(({ code }) => code === nodeCode);
      if (!target) {
        throw new TargetNotAllowed(
          nodeCode,
          allowed.map(({ code }) => code),
        );
      }
      await this.stopWork(command, locked, reason);
      await forgetArrivals(command.tx, [[tokenId]]);
      token.become('ready');
      token.set({ holdCode: null, queueReason: null, queueEnteredAt: null });
      token.tell('OVERRIDE_ROUTE', { to: target.code, reason });
      token.leave('moved', { to: target.code });
      token.enter(target.id);
      token.mustBeLetIn = true;
      return { arrived: [token] };
    });
  }

  /** Nobody does anything with it until it is released; whoever works on it pauses. */
  hold(by: Caller, tokenId: string, { holdCode, reason, rowVersion }: HoldToken): Promise<StepView> {
    return this.commands.onToken(by, tokenId, { cause: 'hold', hold: 'route' }, async (command, locked) => {
      this.access.admit(by, FORCE, locked, rowVersion);
      if (!isLive(locked.status)) throw new TokenState(locked);
      await this.sessions.pauseAll(command, [locked], reason);
      const paused =
        locked.status === 'active'
          ? ({ ...locked, status: 'paused', rowVersion: locked.rowVersion + 1 } as const)
          : locked;
      const journey = new Journey(locked);
      journey.join(paused).hold(holdCode, { reason });
      if (locked.status === 'active' && locked.nodeId !== null) journey.vacate(locked.nodeId);
      await this.routing.run(command, journey);
      return this.views.of(command, journey, paused);
    });
  }

  /** What was done where it is goes on from there; everything else may be worked on again. */
  release(by: Caller, tokenId: string, { reason }: Reasoned): Promise<StepView> {
    return this.onLive(by, tokenId, { cause: 'release', permission: FORCE }, async ({ command, locked }, token) => {
      const { holdCode } = locked;
      if (holdCode === null) throw new TokenState(locked, 'Nothing holds it.');
      if (holdCode === 'DEADLOCK') await resolveFinding(command.tx, ['join-deadlock', [tokenId], command.at]);
      token.set({ holdCode: null });
      token.tell('RELEASED', { holdCode, reason });
      if (!onTheWay.includes(holdCode)) return {};
      if (locked.jobStatus !== 'in_progress' || locked.instanceStatus !== 'active') throw new JobState(locked);
      return { onward: [token] };
    });
  }

  adjust(by: Caller, tokenId: string, { reason, rowVersion, ...given }: AdjustToken): Promise<StepView> {
    return this.onLive(by, tokenId, { cause: 'adjust', permission: FORCE, rowVersion }, ({ locked }, token) => {
      const { priority, qty, reworkLimit } = given;
      if (qty !== undefined && (locked.type !== 'batch' || locked.groupId !== null)) {
        throw new InvalidRequest([{ pointer: '#/qty', detail: 'is changed only of a batch that is not split up' }]);
      }
      const before = { priority: locked.priority, qty: locked.qty, reworkLimit: locked.reworkLimit };
      token.set({
        ...(priority !== undefined && { priority }),
        ...(qty !== undefined && { qty }),
        ...(reworkLimit !== undefined && { reworkLimit }),
      });
      token.tell('TOKEN_ADJUST', { before, after: given, reason });
      return Promise.resolve({});
    });
  }

  private onLive(
    by: Caller,
    tokenId: string,
    {
      cause,
      permission,
      rowVersion,
    }: { readonly cause: Command['cause']; readonly permission: string; readonly rowVersion?: number | undefined },
    work: (one: Case, token: Traveller) => Promise<Departures>,
  ): Promise<StepView> {
    return this.commands.onToken(by, tokenId, { cause, hold: 'route' }, async (command, locked) => {
      this.access.admit(by, permission, locked, rowVersion);
      if (!isLive(locked.status)) throw new TokenState(locked);
      const version = await this.versions.get(command.tx, locked.versionId);
      const journey = new Journey(locked);
      const departures = await work({ command, locked, journey, version }, journey.join(locked));
      await this.routing.run(command, journey, departures);
      return this.views.of(command, journey, locked);
    });
  }

  private async stopWork(command: Command, token: LockedToken, reason: string): Promise<void> {
    await this.assignments.cancelOpen(command, [token], reason);
    await this.sessions.finish(command, [token.id]);
  }

  /** A part stays between its split and its join. */
  private async targetsOf({ command, version }: Case, { facts, nodeId }: Traveller): Promise<PublishedNode[]> {
    const operable = version.nodes.filter(({ id }) => id !== nodeId && version.isOperable(id));
    const [group] = facts.groupId === null ? [] : await groupsById(command.tx, [[facts.groupId]]);
    if (group?.joinNodeId == null || group.mergedAt !== null) {
      return operable.filter(({ id }) => !isInside(version, id));
    }
    const edge = version.out(group.splitNodeId).filter(carriesOn)[Number(facts.branchKey) - 1];
    const { joinNodeId } = group;
    return operable.filter(
      ({ id }) => edge && version.reaches(edge.toId, id) && id !== joinNodeId && version.reaches(id, joinNodeId),
    );
  }
}

/** Whether the node stands between a split and the join where its parts come together: only parts are there. */
function isInside(version: PublishedVersion, nodeId: string): boolean {
  return version.nodes.some(({ id, type }) => {
    const join = type === 'split' && version.kindOfSplit(id) === 'COMPONENT' ? version.joinOf(id) : null;
    return (
      join !== null &&
      join.id !== nodeId &&
      id !== nodeId &&
      version.reaches(id, nodeId) &&
      version.reaches(nodeId, join.id)
    );
  });
}
