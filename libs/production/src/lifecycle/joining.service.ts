import { randomUUIDv7 } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { PublishedNode, PublishedVersion } from '../graphs/published-version.rules.js';
import { Commands, type Command } from '../production.command.js';
import { AssignmentRows } from '../work/assignment-rows.service.js';
import { reportFinding } from './finding.queries.js';
import { groupsById, mergeGroups, noteArrivals, type ChildRow, type GroupRow } from './group.queries.js';
import { joinState, type JoinChild, type JoinState } from './join.rules.js';
import type { Journey } from './journey.rules.js';
import { LifecycleMetrics } from './lifecycle-metrics.service.js';
import { isLive } from './token.rules.js';
import { TokenStore } from './token.store.js';
import type { Traveller } from './traveller.rules.js';

/** Brings together what a split parted. Always by group: parts of two pieces never merge. */
@Injectable()
export class Joining {
  constructor(
    private readonly assignments: AssignmentRows,
    private readonly commands: Commands,
    private readonly metrics: LifecycleMetrics,
    private readonly store: TokenStore,
  ) {}

  /** Has the tokens arrive, each at the join it has come to; answers who goes on from there. */
  async arrive(
    command: Command,
    journey: Journey,
    version: PublishedVersion,
    tokens: readonly Traveller[],
  ): Promise<Traveller[]> {
    if (tokens.length === 0) return [];
    await this.store.write(command, journey.write());
    const groups = await this.groupsOf(command, tokens);
    const open = tokens.filter((token) => isWaitedFor(token, groups));
    const free = tokens.filter((token) => !open.includes(token));
    if (open.length === 0) return free;
    const arrivals = open.map(({ id, nodeId, facts }) => ({
      groupId: facts.groupId,
      joinNodeId: nodeId,
      branchKey: facts.branchKey,
      branchNo: facts.branchNo ?? 1,
      tokenId: id,
    }));
    await noteArrivals(command.tx, [JSON.stringify(arrivals), command.at]);
    for (const token of open) wait(token, command.at);
    return [...free, ...(await this.settle(command, journey, version, await this.groupsOf(command, open)))];
  }

  /** Looks again at the groups of tokens that have ended or gone another way; answers who goes on. */
  async reconsider(
    command: Command,
    journey: Journey,
    version: PublishedVersion,
    groupIds: readonly string[],
  ): Promise<Traveller[]> {
    if (groupIds.length === 0) return [];
    await this.store.write(command, journey.write());
    return this.settle(command, journey, version, await groupsById(command.tx, [groupIds]));
  }

  /** Those that are not waited for any more because their group has gone on without them; they are merged. */
  async mergeLate(command: Command, journey: Journey, tokens: readonly Traveller[]): Promise<Set<Traveller>> {
    const old = tokens.filter(({ isNew }) => !isNew);
    const groups = new Map((await this.groupsOf(command, old)).map((group) => [group.id, group]));
    const late = new Set<Traveller>();
    for (const token of old) {
      const group = groups.get(token.facts.groupId ?? '');
      if (group?.mergedAt == null || hasGoneOn(token, group)) continue;
      const into = group.kind === 'COMPONENT' ? group.parentId : (goingOnOf(group)[0] ?? group.parentId);
      mergeInto(token, into, group.id);
      late.add(token);
    }
    return late;
  }

  private async groupsOf({ tx }: Command, tokens: readonly Traveller[]): Promise<GroupRow[]> {
    const ids = new Set(tokens.flatMap(({ facts }) => facts.groupId ?? []));
    return ids.size > 0 ? groupsById(tx, [[...ids]]) : [];
  }

  private async settle(
    command: Command,
    journey: Journey,
    version: PublishedVersion,
    groups: readonly GroupRow[],
  ): Promise<Traveller[]> {
    const satisfied: { group: GroupRow; join: PublishedNode; arrived: ChildRow[] }[] = [];
    for (const group of groups.filter((one) => isAwaited(one, journey))) {
      for (const join of joinsOf(group, version)) {
        const state = joinState(
          join,
          group.children.map((child) => seenFrom(child, join, version, journey)),
        );
        if (state.isHopeless) await this.reportHopeless(command, journey, group, join, state);
        if (!state.isSatisfied || satisfied.some((one) => one.group === group)) continue;
        satisfied.push({ group, join, arrived: group.children.filter((child) => cameTo(child, join)) });
      }
    }
    if (satisfied.length === 0) return [];
    const ids = satisfied.map(({ group }) => group.id);
    const merged = await mergeGroups(command.tx, [ids, satisfied.map(({ join }) => join.id), command.at]);
    const now = satisfied.filter(({ group }) => merged.some(({ id }) => id === group.id));
    await this.fetch(
      command,
      journey,
      now.flatMap(({ group }) => [group.parentId, ...group.children.map(({ id }) => id)]),
    );
    const onward: Traveller[] = [];
    for (const { group, join, arrived } of now)
      onward.push(...(await this.merge(command, journey, version, group, join, arrived)));
    return onward;
  }

  private async merge(
    command: Command,
    journey: Journey,
    version: PublishedVersion,
    group: GroupRow,
    join: PublishedNode,
    arrived: readonly ChildRow[],
  ): Promise<Traveller[]> {
    const carriesOn = group.kind === 'COMPONENT' ? group.parentId : earliest(arrived, join.id)?.id;
    const onward = carriesOn === undefined ? undefined : journey.get(carriesOn);
    if (!onward) return [];
    const parts = arrived.filter(({ id }) => id !== onward.id);
    for (const { id } of parts) mergeInto(journey.get(id), onward.id, group.id);
    const others = group.children.flatMap((child) => (arrived.includes(child) ? [] : (journey.get(child.id) ?? [])));
    const notStarted = others.filter(({ status }) => status === 'ready' || status === 'waiting');
    for (const token of notStarted) mergeInto(token, onward.id, group.id);
    await this.assignments.cancelOpen(
      command,
      notStarted.map(({ id }) => ({ id, graphId: version.graphId, ticketId: journey.job.ticketId })),
      'merged',
    );
    if (group.kind === 'COMPONENT') {
      onward.set({ holdCode: null });
      onward.become('ready');
      onward.leave('moved', { groupId: group.id });
      onward.enter(join.id, { groupId: group.id });
    } else {
      onward.become('ready');
      if (version.node(group.splitNodeId).splitPolicy === 'RATIO') {
        onward.set({ qty: arrived.reduce((sum, { qty }) => sum + qty, 0) });
      }
    }
    onward.set({ queueReason: null, queueEnteredAt: null });
    const branches = timesOf(group, arrived, join, command.at);
    for (const { waitSeconds } of branches) this.metrics.joinWait.observe(waitSeconds);
    onward.tell('TOKEN_MERGE', { groupId: group.id, branches });
    onward.keep();
    return [onward];
  }

  private async reportHopeless(
    command: Command,
    journey: Journey,
    group: GroupRow,
    join: PublishedNode,
    { missing }: JoinState,
  ): Promise<void> {
    const detail = JSON.stringify({ groupId: group.id, nodeCode: join.code, missing });
    await reportFinding(command.tx, [randomUUIDv7(), 'join-deadlock', 'token', group.parentId, detail, command.at]);
    await this.fetch(command, journey, [group.parentId]);
    const parent = journey.get(group.parentId);
    if (parent && isLive(parent.status) && parent.holdCode !== 'DEADLOCK')
      parent.hold('DEADLOCK', { groupId: group.id });
  }

  /** Has the tokens in the journey; those that have ended are left out. */
  private async fetch(command: Command, journey: Journey, ids: readonly string[]): Promise<void> {
    const unknown = ids.filter((id) => !journey.get(id));
    for (const token of await this.commands.lockMore(command, unknown)) {
      if (isLive(token.status)) journey.join(token);
    }
  }
}

/** Whether the group is open, and what it was split from has not been scrapped with it. */
function isAwaited({ kind, mergedAt, parentId }: GroupRow, journey: Journey): boolean {
  return mergedAt === null && (kind === 'FORK' || isLive(journey.get(parentId)?.status ?? 'waiting'));
}

/** Whether the token belongs to a group that is still open, and so has to wait for the others. */
function isWaitedFor({ facts }: Traveller, groups: readonly GroupRow[]): boolean {
  return groups.some(({ id, mergedAt }) => id === facts.groupId && mergedAt === null);
}

function wait(token: Traveller, at: Date): void {
  token.become('waiting');
  token.set({ queueReason: 'JOIN_WAIT', queueEnteredAt: at });
  token.tell('QUEUED', { queueReason: 'JOIN_WAIT' });
}

/** Whether the token is one that goes on for its group, or came in the place of one. */
function hasGoneOn({ id }: Traveller, group: GroupRow): boolean {
  const goingOn = group.kind === 'FORK' ? goingOnOf(group) : [];
  const before = new Map(group.children.map((child) => [child.id, child.replacesTokenId]));
  for (let one: string | null = id; one !== null; one = before.get(one) ?? null) if (goingOn.includes(one)) return true;
  return false;
}

/** Of those that came together the first that came; all that had come when the group was given up. */
function goingOnOf({ children, joinNodeId }: GroupRow): string[] {
  const cameAs = (what: string) => children.filter(({ arrivals }) => arrivals.some(({ outcome }) => outcome === what));
  const first = joinNodeId === null ? undefined : earliest(cameAs('merged'), joinNodeId);
  return [...(first ? [first] : []), ...cameAs('timeout')].map(({ id }) => id);
}

function mergeInto(token: Traveller | undefined, into: string, groupId: string): void {
  if (!token) return;
  token.become('merged');
  token.set({ mergedInto: into });
  token.tell('TOKEN_MERGE', { groupId, into });
  token.end('merged', 'merged');
}

/** The joins that somebody of the group has come to. */
function joinsOf({ children, joinNodeId }: GroupRow, version: PublishedVersion): PublishedNode[] {
  const ids = new Set(children.flatMap(({ arrivals }) => arrivals.map((arrival) => arrival.joinNodeId)));
  if (joinNodeId !== null) ids.add(joinNodeId);
  return [...ids].map((id) => version.node(id));
}

function cameTo({ arrivals, status }: ChildRow, join: PublishedNode): boolean {
  return isLive(status) && arrivals.some(({ joinNodeId, outcome }) => joinNodeId === join.id && outcome === null);
}

/** What this command has done to it counts. */
function seenFrom(child: ChildRow, join: PublishedNode, version: PublishedVersion, journey: Journey): JoinChild {
  const { id, branchKey, replacesTokenId } = child;
  const now = journey.get(id);
  const status = now?.status ?? child.status;
  const nodeId = now?.nodeId ?? child.nodeId;
  const mayArrive = nodeId !== null && version.reaches(nodeId, join.id);
  return { id, branchKey, status, hasArrived: isLive(status) && cameTo(child, join), mayArrive, replacesTokenId };
}

function earliest(arrived: readonly ChildRow[], joinId: string): ChildRow | undefined {
  const when = ({ arrivals }: ChildRow) =>
    Date.parse(arrivals.find(({ joinNodeId }) => joinNodeId === joinId)?.at ?? '');
  return arrived.toSorted((one, other) => when(one) - when(other) || (one.id < other.id ? -1 : 1))[0];
}

interface BranchTimes {
  readonly tokenId: string;
  readonly branchKey: string;
  readonly branchNo: number;
  readonly seconds: number;
  readonly waitSeconds: number;
}

/** How long each branch took, and how long it waited for the last one. */
function timesOf(group: GroupRow, arrived: readonly ChildRow[], join: PublishedNode, at: Date): BranchTimes[] {
  return arrived.map(({ id, branchKey, branchNo, arrivals }) => {
    const came = Date.parse(arrivals.find(({ joinNodeId }) => joinNodeId === join.id)?.at ?? '');
    return {
      tokenId: id,
      branchKey,
      branchNo,
      seconds: (came - group.createdAt.getTime()) / 1_000,
      waitSeconds: (at.getTime() - came) / 1_000,
    };
  });
}
