import { randomUUIDv7 } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Database, type Caller } from '@belay/platform';
import type { PublishedNode, PublishedVersion } from '../graphs/published-version.rules.js';
import { Versions } from '../graphs/version.reader.js';
import { Clock, Commands, type Command, type LockedToken } from '../production.command.js';
import { reportFinding } from './finding.queries.js';
import { groupsById, timeOutGroup, type GroupRow } from './group.queries.js';
import { Journey } from './journey.rules.js';
import { Routing } from './routing.service.js';
import { isLive } from './token.rules.js';
import { goOn, Waiting } from './waiting.service.js';
import { joinsOverdue, lotsCollected, timedWaitsOver } from './waiting.queries.js';
import type { Traveller } from './traveller.rules.js';

const AT_ONCE = 200;

/** Called last in every transaction. */
type Checkpoint = () => void;

/** Goes on with what waited long enough. */
@Injectable()
export class Overdue {
  constructor(
    private readonly clock: Clock,
    private readonly commands: Commands,
    private readonly database: Database,
    private readonly routing: Routing,
    private readonly versions: Versions,
    private readonly waiting: Waiting,
  ) {}

  /** Waits whose time is over, and lots that are complete by now. */
  async endWaits(by: Caller, checkpoint: Checkpoint): Promise<void> {
    const on = this.database.dataSource;
    let over = AT_ONCE;
    while (over === AT_ONCE) {
      const waits = await timedWaitsOver(on, [this.clock.given, AT_ONCE]);
      over = waits.reduce((sum, { tokenIds }) => sum + tokenIds.length, 0);
      for (const { tokenIds } of waits) {
        await this.commands.onTokens(by, tokenIds, { cause: 'wait', hold: 'route' }, async (command, tokens) => {
          await this.goOnInTime(command, tokens);
          checkpoint();
        });
      }
    }
    for (const { tokenId } of await lotsCollected(on, [])) {
      await this.commands.onToken(by, tokenId, { cause: 'wait', hold: 'route' }, async (command, token) => {
        await this.releaseLot(command, token);
        checkpoint();
      });
    }
  }

  /** Groups whose join does not wait any longer: supervisors are told, and the piece goes where its join says. */
  async endJoins(by: Caller, checkpoint: Checkpoint): Promise<void> {
    for (const { tokenId, joinNodeId } of await joinsOverdue(this.database.dataSource, [this.clock.given, AT_ONCE])) {
      await this.commands.onToken(by, tokenId, { cause: 'timeout', hold: 'route' }, async (command, token) => {
        if (token.status === 'waiting' && token.nodeId === joinNodeId) await this.giveUp(command, token);
        checkpoint();
      });
    }
  }

  private async goOnInTime(command: Command, tokens: readonly LockedToken[]): Promise<void> {
    const [first] = tokens;
    if (!first || !isRunning(first)) return;
    const journey = new Journey(first);
    const over = tokens.filter(({ status, holdCode, queueReason }) => {
      return status === 'waiting' && holdCode === null && queueReason === 'WAIT_CONDITION';
    });
    await this.routing.run(command, journey, { onward: over.map((token) => goOn(journey.join(token), 'time')) });
  }

  private async releaseLot(command: Command, token: LockedToken): Promise<void> {
    const { nodeId, status, queueReason, holdCode } = token;
    if (!isRunning(token) || status !== 'waiting' || queueReason !== 'WAIT_CONDITION' || holdCode !== null) return;
    const version = await this.versions.get(command.tx, token.versionId);
    const journey = new Journey(token);
    journey.join(token);
    const onward = await this.waiting.release(command, journey, version, nodeId === null ? [] : [nodeId]);
    if (onward.length > 0) await this.routing.run(command, journey, { onward });
  }

  private async giveUp(command: Command, token: LockedToken): Promise<void> {
    const { tx, at } = command;
    const [group] = token.groupId === null ? [] : await groupsById(tx, [[token.groupId]]);
    if (!group || token.nodeId === null || !isRunning(token)) return;
    const version = await this.versions.get(tx, token.versionId);
    const join = version.node(token.nodeId);
    const detail = JSON.stringify({ groupId: group.id, nodeCode: join.code, since: group.createdAt });
    await reportFinding(tx, [randomUUIDv7(), 'join-timeout', 'token', group.parentId, detail, at]);
    const target = join.timeoutNodeCode === null ? undefined : version.nodeOfCode(join.timeoutNodeCode);
    if (!target) return;
    const [closed] = await timeOutGroup(tx, [group.id, at]);
    if (!closed) return;
    const journey = new Journey(token);
    const arrived = await this.leaveJoin(command, journey, version, { group, join, target });
    await this.routing.run(command, journey, { arrived });
  }

  /** The piece goes to the node for what waited too long; its parts, wherever they are, are merged into it. */
  private async leaveJoin(
    command: Command,
    journey: Journey,
    version: PublishedVersion,
    { group, join, target }: { readonly group: GroupRow; readonly join: PublishedNode; readonly target: PublishedNode },
  ): Promise<Traveller[]> {
    const ids = [group.parentId, ...group.children.map(({ id }) => id)];
    const tokens = (await this.commands.lockMore(command, ids)).filter(({ status }) => isLive(status));
    const travellers = tokens.map((token) => journey.join(token));
    const isCarriedOn = (one: Traveller) =>
      group.kind === 'COMPONENT' ? one.id === group.parentId : one.nodeId === join.id;
    const goingOn = travellers.filter(isCarriedOn);
    const [into] = goingOn;
    for (const token of travellers) {
      if (isCarriedOn(token)) continue;
      if (token.status === 'active' || token.status === 'paused' || !into) continue;
      token.become('merged');
      token.set({ mergedInto: into.id });
      token.tell('TOKEN_MERGE', { groupId: group.id, into: into.id, timedOut: true });
      token.end('merged', 'merged');
    }
    for (const token of goingOn) {
      token.become('ready');
      token.set({ holdCode: null, queueReason: null, queueEnteredAt: null });
      token.tell('OVERRIDE_ROUTE', { to: target.code, because: 'join-timeout', joinNodeCode: join.code });
      token.leave('moved', { to: target.code });
      token.enter(target.id);
      token.mustBeLetIn = true;
    }
    return goingOn;
  }
}

function isRunning({ jobStatus, instanceStatus }: LockedToken): boolean {
  return jobStatus === 'in_progress' && instanceStatus === 'active';
}
