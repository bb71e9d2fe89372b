import { Injectable } from '@nestjs/common';
import { Database, Problem, type Caller } from '@belay/platform';
import { isOperable } from '../graphs/node-type.rules.js';
import { TokenStore } from '../lifecycle/token.store.js';
import { isLive } from '../lifecycle/token.rules.js';
import { Commands, type Command, type LockedToken } from '../production.command.js';
import { ActionNotForNode, AssignmentState, TokenNotFound, TokenState } from '../production.problems.js';
import { SiteScope } from '../site-scope.service.js';
import { AssignmentLog } from './assignment-log.service.js';
import type { Assignee, NodeToAssign } from './assignment-policy.contract.js';
import { AssignmentRows, type NewAssignment } from './assignment-rows.service.js';
import type { AssignedTokens, AssignTokens } from './assignment.contract.js';
import type { AssignmentRow } from './assignment.queries.js';
import { knownTokens } from './claim.queries.js';
import { assigneeAt, Targets, type Target } from './target.service.js';
import { refuseUnlessRunning, WorkAccess } from './work-access.service.js';
import { WorkNodes } from './work-node.service.js';

export const OVERRULE = 'assignment.availability:override';

/** What a token is given, or why not. */
type Given = { readonly draft: NewAssignment } | { readonly problem: Problem; readonly tokenId: string };

/** How work is given to people by hand: what the floor does with every module off. */
@Injectable()
export class AssignService {
  constructor(
    private readonly access: WorkAccess,
    private readonly assignments: AssignmentRows,
    private readonly commands: Commands,
    private readonly database: Database,
    private readonly log: AssignmentLog,
    private readonly nodes: WorkNodes,
    private readonly scope: SiteScope,
    private readonly targets: Targets,
    private readonly tokens: TokenStore,
  ) {}

  /** Gives the tokens to the team or person, each for itself; what cannot be given is told. */
  async assign(by: Caller, asked: AssignTokens): Promise<AssignedTokens> {
    const { tokenIds } = asked;
    const known = new Set((await knownTokens(this.database.dataSource, [tokenIds])).map(({ id }) => id));
    const unknown = tokenIds.filter((id) => !known.has(id));
    if (known.size === 0) throw new TokenNotFound(unknown);
    return this.commands.onTokens(by, [...known], { cause: 'assign', hold: 'work' }, async (command, tokens) => {
      const target = await this.targets.find(command.tx, asked);
      const given = await this.give(command, tokens, target, asked);
      const drafts = given.flatMap((one) => ('draft' in one ? [one.draft] : []));
      const made = await this.assignments.insert(command, drafts);
      await this.prioritise(command, tokens, made, asked.priority);
      await this.log.tell(command, 'assigned', made, tokens);
      const refused = given.flatMap((one) => ('problem' in one ? [errorOf(one.tokenId, one.problem)] : []));
      const errors = [...unknown.map((id) => errorOf(id, new TokenNotFound([id]))), ...refused];
      return { assigned: made.length, total: tokenIds.length, errors };
    });
  }

  private async give(
    command: Command,
    tokens: readonly LockedToken[],
    target: Target,
    asked: AssignTokens,
  ): Promise<Given[]> {
    const open = await this.assignments.lockOpen(
      command.tx,
      tokens.map(({ id }) => id),
    );
    for (const siteId of new Set(tokens.map((token) => token.siteId))) {
      await this.targets.admit(command.tx, command.by, siteId, target.given);
    }
    const given: Given[] = [];
    const asks = new Map<string, { node: NodeToAssign; assignee: Assignee; tokens: LockedToken[] }>();
    for (const token of tokens) {
      const offer = await this.offer(command, token, open.get(token.id), target).catch(problemOnly);
      if (offer instanceof Problem) given.push({ tokenId: token.id, problem: offer });
      else {
        const group = asks.get(offer.node.id) ?? { ...offer, tokens: [] };
        asks.set(offer.node.id, group);
        group.tokens.push(token);
      }
    }
    for (const { node, assignee, tokens: alike } of asks.values()) {
      const confirmed = asked.confirmUnavailable && alike.every(({ siteId }) => command.by.may(OVERRULE, siteId));
      await this.access.mayWork(command, alike, node, assignee, { act: 'assign', confirmed });
      const facts = { nodeId: node.id, assignee, method: 'MANUAL', note: asked.note ?? null } as const;
      given.push(...alike.map(({ id }) => ({ draft: { tokenId: id, ...facts } })));
    }
    return given;
  }

  /** As whom the target would get it; throws why not. */
  private async offer(
    command: Command,
    token: LockedToken,
    open: AssignmentRow | undefined,
    target: Target,
  ): Promise<{ node: NodeToAssign; assignee: Assignee }> {
    this.scope.see(command.by, token.siteId, () => new TokenNotFound([token.id]));
    refuseUnlessRunning(token);
    if (!isLive(token.status) || token.nodeId === null) throw new TokenState(token);
    const node = await this.nodes.node(command.tx, token.versionId, token.nodeId);
    if (!isOperable(node)) throw new ActionNotForNode('assignment', node.type, []);
    if (open) throw new AssignmentState(open);
    const assignee = assigneeAt(target, node);
    if (assignee instanceof Problem) throw assignee;
    return { node, assignee };
  }

  private async prioritise(
    command: Command,
    tokens: readonly LockedToken[],
    made: readonly AssignmentRow[],
    priority: number | undefined,
  ): Promise<void> {
    if (priority === undefined) return;
    const given = new Set(made.map(({ tokenId }) => tokenId));
    const changed = tokens.filter((token) => given.has(token.id) && token.priority !== priority);
    await this.tokens.write(command, {
      changes: changed.map(({ id, status }) => ({ id, from: [status], to: status, set: { priority } })),
      events: changed.map(({ id, nodeId, priority: before }) => ({
        tokenId: id,
        type: 'TOKEN_ADJUST',
        nodeId,
        payload: { priority: { from: before, to: priority } },
      })),
    });
  }
}

function problemOnly(error: unknown): Problem {
  if (error instanceof Problem) return error;
  throw error;
}

function errorOf(tokenId: string, { slug, detail }: Problem) {
  return { tokenId, code: slug, detail };
}
