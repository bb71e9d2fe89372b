import { Injectable } from '@nestjs/common';
import { InvalidRequest, type Caller } from '@belay/platform';
import type { PublishedNode, PublishedVersion } from '../graphs/published-version.rules.js';
import { chooseFailEdge } from '../graphs/routing.rules.js';
import { Versions } from '../graphs/version.reader.js';
import { Commands, type Command, type LockedToken } from '../production.command.js';
import { NotAssignee, TargetNotAllowed, TokenState } from '../production.problems.js';
import { AssignmentRows } from '../work/assignment-rows.service.js';
import type { TeamOfOperator } from '../work/claim.queries.js';
import { deviceOf } from '../work/device.rules.js';
import { WorkAccess } from '../work/work-access.service.js';
import { WorkSessions } from '../work/work-sessions.service.js';
import { contextOf, Journey } from './journey.rules.js';
import { lastWorker } from './qc.queries.js';
import { failureOf, usualQc } from './qc.rules.js';
import { follow, Routing, type Departures } from './routing.service.js';
import { replacementMode, Scrapping } from './scrapping.service.js';
import type { Judge, StepView } from './step.contract.js';
import { StepViews } from './step-view.service.js';
import type { Traveller } from './traveller.rules.js';

const JUDGE = 'production.qc:decide';
export const FORCE = 'production.token:force';

interface Case {
  readonly command: Command;
  readonly locked: LockedToken;
  readonly journey: Journey;
  readonly version: PublishedVersion;
  readonly node: PublishedNode;
  readonly token: Traveller;
  readonly asked: Judge;
}

/** Quality control: what passes goes on, what fails goes back, or is made anew, or is held. Never silently scrapped. */
@Injectable()
export class QcService {
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

  judge(by: Caller, tokenId: string, asked: Judge): Promise<StepView> {
    const reason = { cause: 'qc', hold: 'route', device: deviceOf(asked.device) } as const;
    return this.commands.onToken(by, tokenId, reason, async (command, locked) => {
      this.access.admit(by, JUDGE, locked, asked.rowVersion);
      const { id } = await this.access.nodeFor(command, locked, 'qc');
      if (locked.status === 'waiting') throw new TokenState(locked);
      const version = await this.versions.get(command.tx, locked.versionId);
      const node = version.node(id);
      await this.refuseOthers(command, locked, node);
      const journey = new Journey(locked);
      const one = { command, locked, journey, version, node, token: journey.join(locked), asked };
      await this.assignments.completeOpen(command, [tokenId]);
      await this.sessions.finish(command, [tokenId]);
      await this.routing.run(command, journey, await this.decide(one));
      return this.views.of(command, journey, locked);
    });
  }

  private async decide(one: Case): Promise<Departures> {
    const { command, token, asked } = one;
    const { result, defectCode = null, severity = null, note = null } = asked;
    const qcResult = { status: result, defectType: defectCode, severity, note, by: command.actorId };
    token.set({ qcResult });
    token.become('ready');
    token.tell(result === 'pass' ? 'QC_PASS' : 'QC_FAIL', { defectType: defectCode, severity, note });
    token.mark({ completed: true, qcResult });
    token.keep();
    return result === 'pass' ? { onward: [token] } : this.fail(one);
  }

  private async fail(one: Case): Promise<Departures> {
    const { command, journey, version, node, token, asked } = one;
    const { targetNodeCode, mode, note = null } = asked;
    const way = chooseFailEdge(version.out(node.id), contextOf(token, journey, node));
    for (const { id } of way.invalid) token.tell('RESOLVER_ERROR', { edgeId: id, reason: 'condition-invalid' });
    const policy = node.qcPolicy ?? usualQc;
    const facts = { reworkCount: token.reworkCount, reworkLimit: token.facts.reworkLimit };
    const failure = failureOf(policy, facts, { mode, hasTarget: targetNodeCode !== undefined }, way);
    switch (failure.act) {
      case 'hold':
        token.hold(failure.holdCode);
        return {};
      case 'scrap':
      case 'recut': {
        const reason = failure.act === 'recut' ? 'material_defect' : failure.because;
        await this.scrapping.scrap(command, journey, [token], { reason, note });
        const replaced = failure.act === 'recut' ? 'auto_from_cut' : replacementMode(node);
        if (replaced === 'manual' || replaced === 'none') return {};
        return this.scrapping.replace(command, journey, version, token.facts, replaced);
      }
      case 'follow':
        token.set({ reworkCount: token.reworkCount + 1 });
        token.tell('REWORK', { edgeId: failure.edge.id });
        token.mustBeLetIn = true;
        return { arrived: [follow(token, failure.edge)] };
      case 'send-back':
        return { arrived: [sendBack(one, targetNodeCode ?? '')] };
    }
  }

  /** Who works on it judges it; else whose it is; else who may take up work there. */
  private async refuseOthers(command: Command, token: LockedToken, node: PublishedNode): Promise<void> {
    const { tx, by } = command;
    const { selfQcAllowed, qcAssignmentRequired } = node.qcPolicy ?? usualQc;
    const assignment = (await this.assignments.lockOpen(tx, [token.id])).get(token.id);
    if (!selfQcAllowed) {
      const [last] = await lastWorker(tx, [token.id, node.id]);
      if (last?.operatorId === by.accountId) throw new NotAssignee({ teamId: null, operatorId: null }, []);
    }
    const fits = ({ role }: TeamOfOperator) => !qcAssignmentRequired || role === 'qc';
    await this.access.refuseOthers(command, token, node.id, assignment, fits);
  }
}

/** Where a person has said; whoever supervises may name any operation when there is none to choose from. */
function sendBack({ command, locked, version, node, token, asked }: Case, code: string): Traveller {
  const allowed = version.reworkTargets(node.id);
  const target = version.nodeOfCode(code);
  const byHand = allowed.length === 0 && command.by.may(FORCE, locked.siteId) && target?.type === 'operation';
  if (byHand && asked.note === undefined) {
    throw new InvalidRequest([{ pointer: '#/note', detail: 'must say why it goes there' }]);
  }
  if (!target || !(byHand || allowed.includes(target))) {
    throw new TargetNotAllowed(
      code,
      allowed.map((one) => one.code),
    );
  }
  token.set({ reworkCount: token.reworkCount + 1 });
  token.tell('OVERRIDE_ROUTE', { to: target.code, note: asked.note ?? null, byHand });
  token.tell('REWORK', { to: target.code });
  token.leave('reworked', { to: target.code });
  token.enter(target.id);
  token.mustBeLetIn = true;
  return token;
}
