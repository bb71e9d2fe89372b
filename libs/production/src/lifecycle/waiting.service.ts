import { Injectable } from '@nestjs/common';
import type { PublishedNode, PublishedVersion } from '../graphs/published-version.rules.js';
import { Commands, type Command } from '../production.command.js';
import type { Journey } from './journey.rules.js';
import { isLive } from './token.rules.js';
import { collectedAt, liveByNode } from './waiting.queries.js';
import type { Traveller } from './traveller.rules.js';

/** Has tokens wait for a time, or for each other. Approvals are work of people and no business of this. */
@Injectable()
export class Waiting {
  constructor(private readonly commands: Commands) {}

  /** Has the tokens wait, each at its node; answers who need not, and whom their coming has set free. */
  async arrive(
    command: Command,
    journey: Journey,
    version: PublishedVersion,
    tokens: readonly Traveller[],
  ): Promise<Traveller[]> {
    for (const token of tokens) {
      token.become('waiting');
      token.set({ queueReason: 'WAIT_CONDITION', queueEnteredAt: command.at });
      token.tell('QUEUED', { queueReason: 'WAIT_CONDITION' });
    }
    return this.release(command, journey, version, new Set(tokens.map(({ nodeId }) => nodeId)));
  }

  /** Whoever may go on by now from those of the nodes that collect: all together. */
  async release(
    command: Command,
    journey: Journey,
    version: PublishedVersion,
    nodeIds: Iterable<string>,
  ): Promise<Traveller[]> {
    const free: Traveller[] = [];
    for (const id of nodeIds) {
      const node = version.node(id);
      if (node.waitRule?.kind === 'batch') free.push(...(await this.releaseLot(command, journey, version, node)));
    }
    return free;
  }

  private async releaseLot(
    command: Command,
    journey: Journey,
    version: PublishedVersion,
    node: PublishedNode,
  ): Promise<Traveller[]> {
    const rule = node.waitRule;
    if (rule?.kind !== 'batch') return [];
    const here = journey.travellers.filter((token) => isCollected(token, node));
    const stored = await collectedAt(command.tx, [journey.job.instanceId, node.id]);
    const others = stored.filter(({ id }) => journey.get(id) === undefined);
    const collected = [...here, ...others].reduce((sum, { qty }) => sum + qty, 0);
    const isFull = collected >= rule.minBatch;
    if (!isFull && (await this.mayGrow(command, journey, version, node))) return [];
    const rows = await this.commands.lockMore(
      command,
      others.map(({ id }) => id),
    );
    return [...here, ...rows.map((row) => journey.join(row))].map((token) => goOn(token, 'batch'));
  }

  /** Whether anything of the instance may still come to the node; the rest of a job does not wait for ever. */
  private async mayGrow(
    { tx }: Command,
    { job, travellers }: Journey,
    version: PublishedVersion,
    node: PublishedNode,
  ): Promise<boolean> {
    const elsewhere = await liveByNode(tx, [job.instanceId, travellers.map(({ id }) => id)]);
    const nodes = [
      ...elsewhere.map(({ nodeId }) => nodeId),
      ...travellers.filter(({ status }) => isLive(status)).map(({ nodeId }) => nodeId),
    ];
    return nodes.some((id) => id !== node.id && version.reaches(id, node.id));
  }
}

/** What it waited for has come. */
export function goOn(token: Traveller, because: string): Traveller {
  token.become('ready');
  token.set({ queueReason: null, queueEnteredAt: null });
  token.tell('WOKEN', { because });
  return token;
}

function isCollected({ status, nodeId, holdCode }: Traveller, node: PublishedNode): boolean {
  return status === 'waiting' && nodeId === node.id && holdCode === null;
}
