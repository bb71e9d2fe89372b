import { randomUUIDv7 } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { PublishedEdge, PublishedNode, PublishedVersion } from '../graphs/published-version.rules.js';
import type { Command } from '../production.command.js';
import { sentAlong, visitsOfNodes } from './group.queries.js';
import { contextOf, type Journey } from './journey.rules.js';
import { planSplit, serialOfPart, type Part } from './split.rules.js';
import { inherited, type Traveller } from './traveller.rules.js';

/** Splits tokens up: parts of a piece that come together again, or ways that part for good. */
@Injectable()
export class Splitting {
  /** Splits the tokens, each at its split; answers who has come to another node by that. */
  async split(
    command: Command,
    journey: Journey,
    version: PublishedVersion,
    tokens: readonly Traveller[],
  ): Promise<Traveller[]> {
    if (tokens.length === 0) return [];
    const visits = await this.visits(command, tokens);
    const sent = await this.sent(command, journey, version, tokens);
    const moved: Traveller[] = [];
    for (const token of tokens) {
      const node = version.node(token.nodeId);
      const counts = sent.get(node.id);
      const { type } = token.facts;
      const plan = planSplit(
        node,
        version.out(node.id),
        { type, qty: token.qty },
        contextOf(token, journey, node),
        ({ id }) => counts?.get(id) ?? 0,
      );
      if (plan.outcome === 'no-route') token.hold('NO_ROUTE');
      else if (plan.outcome === 'whole') {
        counts?.set(plan.edge.id, (counts.get(plan.edge.id) ?? 0) + 1);
        moved.push(sendWhole(token, node, plan.edge));
      } else moved.push(...splitUp(journey, version, token, plan.parts, visits.get(token.id) ?? 1));
    }
    return moved;
  }

  /** Which visit of its split each makes; one that has just come is not counted in the database yet. */
  private async visits({ tx }: Command, tokens: readonly Traveller[]): Promise<Map<string, number>> {
    const old = tokens.filter(({ isNew }) => !isNew);
    if (old.length === 0) return new Map();
    const rows = await visitsOfNodes(tx, [old.map(({ id }) => id), old.map(({ nodeId }) => nodeId)]);
    const stays = new Set(old.filter((token) => !token.hasJustCome).map(({ id }) => id));
    return new Map(rows.map(({ tokenId, visits }) => [tokenId, stays.has(tokenId) ? visits : visits + 1]));
  }

  private async sent(
    { tx }: Command,
    journey: Journey,
    version: PublishedVersion,
    tokens: readonly Traveller[],
  ): Promise<Map<string, Map<string, number>>> {
    const sent = new Map<string, Map<string, number>>();
    for (const id of new Set(tokens.filter(({ facts }) => facts.type !== 'batch').map(({ nodeId }) => nodeId))) {
      if (version.node(id).splitPolicy !== 'RATIO') continue;
      const rows = await sentAlong(tx, [journey.job.instanceId, id]);
      sent.set(id, new Map(rows.map(({ edgeId, times }) => [edgeId, times])));
    }
    return sent;
  }
}

/** The way it took is kept on it: the next piece is sent by how many went which way. */
function sendWhole(token: Traveller, node: PublishedNode, edge: PublishedEdge): Traveller {
  const { sent } = token.metadata;
  const before = typeof sent === 'object' && sent !== null ? Object.entries(sent) : [];
  const ways: unknown = before.find(([id]) => id === node.id)?.[1];
  const all = [...(Array.isArray(ways) ? ways.map(String) : []), edge.id];
  token.set({ metadata: { ...token.metadata, sent: { ...Object.fromEntries(before), [node.id]: all } } });
  token.leave('moved', { edgeId: edge.id });
  token.enter(edge.toId);
  return token;
}

function splitUp(
  journey: Journey,
  version: PublishedVersion,
  parent: Traveller,
  parts: readonly Part[],
  visitNo: number,
): Traveller[] {
  const node = version.node(parent.nodeId);
  const kind = version.kindOfSplit(node.id);
  const group = randomUUIDv7();
  const branches = new Set(parts.map(({ key }) => key)).size;
  const joinNodeId = version.joinOf(node.id)?.id ?? null;
  journey.open({ id: group, parentId: parent.id, splitNodeId: node.id, visitNo, kind, branches, joinNodeId });
  const children = parts.map((part) => {
    const child = childOf(journey, version, parent, part, parts, { group, kind });
    child.tell('TOKEN_CREATE', { parentId: parent.id, groupId: group, branchKey: part.key, branchNo: part.no });
    child.enter(part.edge.toId, { edgeId: part.edge.id });
    return child;
  });
  parent.become(kind === 'FORK' ? 'consumed' : 'waiting');
  parent.tell('TOKEN_SPLIT', { groupId: group, kind, children: children.map(({ id }) => id) });
  if (kind === 'FORK') parent.end('consumed', 'moved');
  return children;
}

function childOf(
  journey: Journey,
  version: PublishedVersion,
  parent: Traveller,
  part: Part,
  parts: readonly Part[],
  { group, kind }: { readonly group: string; readonly kind: 'COMPONENT' | 'FORK' },
): Traveller {
  const { edge, key, no, qty } = part;
  const siblings = parts.filter((one) => one.key === key).length;
  const code = edge.componentCode ?? version.node(edge.toId).anchorComponentCode;
  const { facts } = parent;
  const metadata = inherited(parent.metadata);
  return journey.make(
    {
      id: randomUUIDv7(),
      instanceId: journey.job.instanceId,
      type: kind === 'COMPONENT' ? 'component' : facts.type,
      serial: serialOfPart(facts.serial, code, key, no, siblings),
      serialRev: facts.serialRev,
      parentId: parent.id,
      groupId: group,
      branchKey: key,
      branchNo: no,
      nodeId: edge.toId,
      status: 'ready',
      qty,
      reworkLimit: facts.reworkLimit,
      priority: facts.priority,
      metadata: { ...metadata, ...(code !== null && { component: code }) },
    },
    facts.firstSpawnedAt,
    parent.root,
  );
}
