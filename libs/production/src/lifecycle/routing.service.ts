import { Injectable } from '@nestjs/common';
import { chooseEdge, type EdgeChoice } from '../graphs/routing.rules.js';
import { systemStepAt } from '../graphs/node-type.rules.js';
import type { PublishedEdge, PublishedNode, PublishedVersion } from '../graphs/published-version.rules.js';
import { Versions } from '../graphs/version.reader.js';
import type { Command } from '../production.command.js';
import { Placement } from '../work/placement.service.js';
import { scopeOf, type Scope } from '../work/scope.rules.js';
import { Wake } from '../work/wake.service.js';
import type { Arrival, Placed } from './arrival.contract.js';
import { JobCompletion } from './job-completion.service.js';
import { Joining } from './joining.service.js';
import { contextOf, type Journey } from './journey.rules.js';
import { LifecycleMetrics } from './lifecycle-metrics.service.js';
import { Sinking } from './sinking.service.js';
import { Splitting } from './splitting.service.js';
import { isLive } from './token.rules.js';
import { TokenStore } from './token.store.js';
import { Waiting } from './waiting.service.js';
import type { Traveller } from './traveller.rules.js';

/** Where a command has its tokens go: along their edges, or to a node that somebody chose. */
export interface Departures {
  /** Done where they are. */
  readonly onward?: readonly Traveller[];
  /** Come to their node already, by hand or because they are new. */
  readonly arrived?: readonly Traveller[];
}

const mostHops = 300;

/** Moves tokens through their graph and writes what became of them; the one who calls has locked their job alone. */
@Injectable()
export class Routing {
  constructor(
    private readonly completion: JobCompletion,
    private readonly joining: Joining,
    private readonly metrics: LifecycleMetrics,
    private readonly placement: Placement,
    private readonly sinking: Sinking,
    private readonly splitting: Splitting,
    private readonly store: TokenStore,
    private readonly versions: Versions,
    private readonly waiting: Waiting,
    private readonly wake: Wake,
  ) {}

  /**
   * Routes on until people are needed, things are awaited or the end is reached, and writes everything. It never guesses and
   * never throws because of a graph: what finds no way is held.
   */
  async run(command: Command, journey: Journey, departures: Departures = {}): Promise<void> {
    const stop = this.metrics.route.startTimer();
    await this.go(command, journey, departures);
    stop();
  }

  private async go(command: Command, journey: Journey, { onward = [], arrived = [] }: Departures): Promise<void> {
    const version = await this.versions.get(command.tx, journey.job.versionId);
    const atWork = new Set<Traveller>();
    const tooLate = await this.joining.mergeLate(command, journey, arrived);
    let [leaving, coming] = [[...onward], arrived.filter((token) => !tooLate.has(token))];
    for (let hops = 0; ; hops += 1) {
      if (hops === mostHops) {
        for (const token of [...leaving, ...coming]) token.hold('NO_ROUTE', { hops });
        break;
      }
      const late = await this.joining.mergeLate(command, journey, leaving);
      const going = leaving.filter((token) => !late.has(token)).flatMap((token) => this.leave(journey, version, token));
      ({ leaving, coming } = await this.arrive(command, journey, version, [...coming, ...going], atWork));
      if (leaving.length + coming.length > 0) continue;
      leaving = await this.joining.reconsider(command, journey, version, groupsGoneAside(journey));
      if (leaving.length === 0) break;
    }
    await this.write(command, journey, version, [...atWork]);
  }

  /** Writes a journey that leads nowhere any more: the instance is given up. */
  async abandon(command: Command, journey: Journey): Promise<void> {
    const version = await this.versions.get(command.tx, journey.job.versionId);
    await this.store.write(command, journey.write());
    await this.wake.ring(command, scopesLeft(journey, version));
  }

  private async write(
    command: Command,
    journey: Journey,
    version: PublishedVersion,
    atWork: readonly Traveller[],
  ): Promise<void> {
    const placed = await this.place(command, journey, version, atWork);
    await this.store.write(command, journey.write());
    await this.placement.settle(command, placed);
    await this.wake.ring(command, scopesLeft(journey, version));
    if (journey.travellers.some(({ status }) => !isLive(status))) await this.completion.check(command, journey.job);
  }

  /** The token as it comes to its next node; nothing when it is held where it is. */
  private leave(journey: Journey, version: PublishedVersion, token: Traveller): Traveller[] {
    const node = version.node(token.nodeId);
    token.set({ holdCode: null, queueReason: null, queueEnteredAt: null });
    // A split sends everybody along edges of its own choice.
    if (node.type === 'split') return [token];
    const choice = chooseEdge(version.out(node.id), contextOf(token, journey, node));
    return this.take(token, choice);
  }

  /** Sends the token along what was chosen, or holds it. */
  take(token: Traveller, { edge, hold, invalid }: EdgeChoice): Traveller[] {
    for (const { id } of invalid) token.tell('RESOLVER_ERROR', { edgeId: id, reason: 'condition-invalid' });
    if (edge) return [follow(token, edge)];
    token.become('ready');
    token.hold(hold ?? 'NO_ROUTE');
    return [];
  }

  private async arrive(
    command: Command,
    journey: Journey,
    version: PublishedVersion,
    tokens: readonly Traveller[],
    atWork: Set<Traveller>,
  ): Promise<{ leaving: Traveller[]; coming: Traveller[] }> {
    const at = (step: ReturnType<typeof systemStepAt>) =>
      tokens.filter((token) => systemStepAt(nodeOf(token)) === step);
    const nodeOf = (token: Traveller) => version.node(token.nodeId);
    for (const token of at('end')) complete(token, nodeOf(token));
    for (const token of at(null)) {
      if (version.isOperable(token.nodeId)) atWork.add(token);
      else token.hold('SUPERVISOR', { nodeType: nodeOf(token).type });
    }
    const waiting = at('wait');
    for (const token of waiting) if (version.isOperable(token.nodeId)) atWork.add(token);
    const coming = await this.splitting.split(command, journey, version, at('split'));
    const leaving = [
      ...at('route'),
      ...(await this.joining.arrive(command, journey, version, at('join'))),
      ...(await this.waiting.arrive(
        command,
        journey,
        version,
        waiting.filter((token) => !atWork.has(token)),
      )),
    ];
    coming.push(...this.sinking.sink(journey, version, at('sink')));
    return { leaving, coming };
  }

  private async place(
    command: Command,
    journey: Journey,
    version: PublishedVersion,
    atWork: readonly Traveller[],
  ): Promise<Placed[]> {
    const known = atWork.filter(({ id }) => journey.get(id) !== undefined);
    if (known.length === 0) return [];
    const placed = await this.placement.place(
      command,
      known.map((token) => arrivalOf(token, journey, version)),
    );
    const whither = new Map(known.map(({ id, nodeId }) => [id, nodeId]));
    for (const one of placed) settle(command, journey, one);
    return placed.filter(
      ({ tokenId, outcome }) => outcome !== 'full' && journey.get(tokenId)?.nodeId === whither.get(tokenId),
    );
  }
}

/** Takes the token along the edge to its next node. */
export function follow(token: Traveller, edge: PublishedEdge): Traveller {
  token.become('ready');
  token.leave(edge.type === 'rework' ? 'reworked' : 'moved', { edgeId: edge.id });
  token.enter(edge.toId, { edgeId: edge.id });
  return token;
}

function complete(token: Traveller, { code }: PublishedNode): void {
  token.become('completed');
  token.tell('NODE_COMPLETE', { nodeCode: code });
  token.end('completed', 'moved');
}

function arrivalOf(token: Traveller, { job }: Journey, version: PublishedVersion): Arrival {
  return {
    tokenId: token.id,
    instanceId: job.instanceId,
    ticketId: job.ticketId,
    siteId: job.siteId,
    graphId: version.graphId,
    graphVersionId: version.id,
    qty: token.qty,
    priority: token.facts.priority,
    dueAt: job.dueAt,
    node: version.node(token.nodeId),
    mayOverfill: token.mustBeLetIn,
  };
}

/** What the placement says of it; who finds no room stays where it was, with all that it was split into. */
function settle({ at }: Command, journey: Journey, placed: Placed): void {
  const token = journey.get(placed.tokenId);
  if (!token) return;
  if (placed.outcome === 'ready') {
    token.become('ready');
    token.set({ queueReason: null, queueEnteredAt: null });
    return;
  }
  if (placed.outcome === 'waiting') {
    const { queueReason, position, estimatedWaitMinutes } = placed;
    token.become('waiting');
    token.set({ queueReason, queueEnteredAt: at });
    token.promise(estimatedWaitMinutes);
    token.tell('QUEUED', { queueReason, position });
    return;
  }
  const stays = journey.takeBack(token);
  if (stays) {
    if (stays.holdCode === 'QUEUE_LIMIT') return;
    stays.set({ queueReason: 'QUEUE_LIMIT', queueEnteredAt: at });
    stays.hold('QUEUE_LIMIT');
    return;
  }
  token.become('waiting');
  token.set({ queueReason: 'WIP_LIMIT', queueEnteredAt: at });
  token.tell('QUEUED', { queueReason: 'WIP_LIMIT' });
}

/** Where somebody may be let in now: nodes whose tokens have gone on, or are not worked on any more. */
function scopesLeft({ vacated, job }: Journey, version: PublishedVersion): Scope[] {
  return [...vacated]
    .filter((id) => version.isOperable(id))
    .map((id) => scopeOf({ ...version.node(id), graphId: version.graphId }, job.instanceId));
}

/** Groups with tokens that have ended or gone another way than to a join, so that others may wait for them in vain. */
function groupsGoneAside({ travellers }: Journey): string[] {
  const moved = travellers.filter(({ hasMoved, status, facts }) => {
    return facts.groupId !== null && hasMoved && status !== 'waiting';
  });
  return [...new Set(moved.flatMap(({ facts }) => facts.groupId ?? []))];
}
