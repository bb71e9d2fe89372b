import { Injectable } from '@nestjs/common';
import type { QueueReason } from '../lifecycle/token.rules.js';
import { TokenStore } from '../lifecycle/token.store.js';
import type { Command, LockedToken } from '../production.command.js';
import { reasonToQueue } from './limit.rules.js';
import { Limiting } from './limiting.service.js';
import { scopeKey, scopeOf } from './scope.rules.js';
import { WorkNodes } from './work-node.service.js';

/** What a wake-up lets tokens in from. */
const awaited: readonly (QueueReason | null)[] = [
  'WIP_LIMIT',
  'CONCURRENCY_LIMIT',
  'TEAM_UNAVAILABLE',
  'OPERATOR_UNAVAILABLE',
  'NO_MATCH',
];

/** Whoever waits for a place or for people waits for their job instead while that is paused; their turn stays theirs. */
@Injectable()
export class PausedQueue {
  constructor(
    private readonly limiting: Limiting,
    private readonly nodes: WorkNodes,
    private readonly tokens: TokenStore,
  ) {}

  /** Of the tokens of a job that was paused, those that wait. */
  rest(command: Command, tokens: readonly LockedToken[]): Promise<void> {
    const waiting = tokens.filter(({ status, queueReason }) => status === 'waiting' && awaited.includes(queueReason));
    return this.wait(
      command,
      waiting.map((token) => ({ token, queueReason: 'JOB_PAUSED' })),
    );
  }

  /** Of the tokens of a job that goes on, those that waited for it. What has no limit is for the wake-up to say. */
  async goOn(command: Command, tokens: readonly LockedToken[]): Promise<void> {
    const waiting: { readonly token: LockedToken; readonly key: string }[] = [];
    const scopes = new Map<string, ReturnType<typeof scopeOf>>();
    for (const token of tokens) {
      if (token.status !== 'waiting' || token.queueReason !== 'JOB_PAUSED' || token.nodeId === null) continue;
      const scope = scopeOf(await this.nodes.node(command.tx, token.versionId, token.nodeId), token.instanceId);
      waiting.push({ token, key: scopeKey(scope) });
      scopes.set(scopeKey(scope), scope);
    }
    const held = await this.limiting.hold(command, [...scopes.values()]);
    await this.wait(
      command,
      waiting.flatMap(({ token, key }) => {
        const limits = held.get(key)?.limits;
        const queueReason = limits ? reasonToQueue(limits) : null;
        return queueReason === null ? [] : [{ token, queueReason }];
      }),
    );
  }

  private wait(
    command: Command,
    waiting: readonly { readonly token: LockedToken; readonly queueReason: QueueReason }[],
  ): Promise<void> {
    return this.tokens.write(command, {
      changes: waiting.map(({ token, queueReason }) => ({
        id: token.id,
        from: ['waiting'],
        to: 'waiting',
        set: { queueReason },
      })),
      events: waiting.map(({ token, queueReason }) => ({
        tokenId: token.id,
        type: 'QUEUED',
        nodeId: token.nodeId,
        payload: { queueReason },
      })),
    });
  }
}
