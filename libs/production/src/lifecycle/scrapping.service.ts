import { randomUUIDv7 } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { carriesOn, type replacementModes } from '../graphs/graph.rules.js';
import type { PublishedNode, PublishedVersion } from '../graphs/published-version.rules.js';
import { Commands, type Command } from '../production.command.js';
import { AssignmentRows } from '../work/assignment-rows.service.js';
import { WorkSessions } from '../work/work-sessions.service.js';
import { resolveFinding } from './finding.queries.js';
import { forgetArrivals, groupsById, type GroupRow } from './group.queries.js';
import type { Journey } from './journey.rules.js';
import type { Departures } from './routing.service.js';
import { livePartsOf } from './spawn.queries.js';
import { inherited, type Traveller, type TravellerFacts } from './traveller.rules.js';

export type ScrapReason = 'max_rework' | 'material_defect' | 'operator' | 'cancel';
type ReplacementMode = (typeof replacementModes)[number];

/** Takes tokens out for good, and makes what comes in their place. */
@Injectable()
export class Scrapping {
  constructor(
    private readonly assignments: AssignmentRows,
    private readonly commands: Commands,
    private readonly sessions: WorkSessions,
  ) {}

  /** Work on them ends, and parts that they waited for are scrapped as well; nothing is replaced. */
  async scrap(
    command: Command,
    journey: Journey,
    tokens: readonly Traveller[],
    { reason, note }: { readonly reason: ScrapReason; readonly note: string | null },
  ): Promise<void> {
    const ids = tokens.map(({ id }) => id);
    const parts = await livePartsOf(command.tx, [ids]);
    const rows = await this.commands.lockMore(
      command,
      parts.map(({ id }) => id).filter((id) => !journey.get(id)),
    );
    const all = [...tokens, ...rows.map((row) => journey.join(row))];
    const known = all.map(({ id }) => ({ id, graphId: journey.job.graphId, ticketId: journey.job.ticketId }));
    await this.assignments.cancelOpen(command, known, note ?? reason);
    await this.sessions.finish(
      command,
      known.map(({ id }) => id),
    );
    await forgetArrivals(command.tx, [known.map(({ id }) => id)]);
    for (const token of all) {
      const { id } = token;
      token.become('scrapped');
      token.tell('SCRAP', { reason, note, ...(ids.includes(id) ? {} : { with: ids }) });
      token.set({ cancelType: reason === 'max_rework' ? 'qc_fail' : 'permanent', cancelReason: note ?? reason });
      token.end('scrapped', 'scrapped');
    }
  }

  /** What comes in the place of a token that was scrapped, where it begins; nothing when its piece has gone on without it. */
  async replace(
    command: Command,
    journey: Journey,
    version: PublishedVersion,
    token: TravellerFacts,
    mode: Exclude<ReplacementMode, 'none'>,
    reason: string | null = null,
  ): Promise<Departures> {
    const [group] = token.groupId === null ? [] : await groupsById(command.tx, [[token.groupId]]);
    if (group?.kind === 'COMPONENT' && group.mergedAt !== null) return {};
    const { node, isWork } = beginningOf(version, group, token, mode);
    const metadata = inherited(token.metadata);
    const anew = journey.make(
      {
        id: randomUUIDv7(),
        instanceId: journey.job.instanceId,
        type: token.type,
        serial: token.serial,
        serialRev: token.serialRev + 1,
        parentId: token.parentId,
        groupId: token.groupId,
        branchKey: token.branchKey,
        branchNo: token.branchNo,
        nodeId: node.id,
        status: 'ready',
        qty: token.qty,
        reworkLimit: token.reworkLimit,
        priority: token.priority,
        metadata,
        replacesTokenId: token.id,
        firstSpawnedAt: token.firstSpawnedAt,
      },
      token.firstSpawnedAt,
    );
    anew.tell('TOKEN_CREATE', { replacesTokenId: token.id, parentId: token.parentId, groupId: token.groupId });
    anew.tell('REPLACEMENT', { replacesTokenId: token.id, serialRev: token.serialRev + 1, reason });
    anew.enter(node.id);
    anew.keep();
    anew.mustBeLetIn = isWork;
    await this.goOnWithParent(command, journey, token);
    return isWork ? { arrived: [anew] } : { onward: [anew] };
  }

  /** Whoever was held because a part was lost for good is held for that no longer. */
  private async goOnWithParent(
    command: Command,
    journey: Journey,
    { groupId, parentId }: TravellerFacts,
  ): Promise<void> {
    await resolveFinding(command.tx, ['job-short', [journey.job.ticketId], command.at]);
    if (groupId === null || parentId === null) return;
    await resolveFinding(command.tx, ['join-deadlock', [parentId], command.at]);
    const known = journey.get(parentId);
    const [row] = known ? [] : await this.commands.lockMore(command, [parentId]);
    const parent = known ?? (row && row.nodeId !== null ? journey.join(row) : undefined);
    if (parent?.holdCode !== 'DEADLOCK') return;
    parent.set({ holdCode: null });
    parent.tell('RELEASED', { holdCode: 'DEADLOCK' });
  }
}

/** How a token that is scrapped at the node is replaced. */
export function replacementMode({ scrapPolicy }: PublishedNode): ReplacementMode {
  return scrapPolicy?.mode ?? 'manual';
}

/** A part begins with its branch; everything else at the start, or where it is cut when that is asked for and drawn. */
function beginningOf(
  version: PublishedVersion,
  group: GroupRow | undefined,
  { branchKey }: TravellerFacts,
  mode: ReplacementMode,
): { readonly node: PublishedNode; readonly isWork: boolean } {
  const edge = group && version.out(group.splitNodeId).filter(carriesOn)[Number(branchKey) - 1];
  const first = edge ? version.node(edge.toId) : version.start;
  const cut = version.nodes.find(({ id, type, teamCategory }) => {
    return type === 'operation' && teamCategory === 'cutting' && version.reaches(first.id, id);
  });
  const node = mode === 'auto_from_cut' && cut ? cut : first;
  return { node, isWork: node !== version.start };
}
