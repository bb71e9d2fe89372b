import { Injectable } from '@nestjs/common';
import { DirectoryReader } from '@belay/directory';
import { Database, decodeCursor, listFrom, type Caller, type List, type Page } from '@belay/platform';
import { z } from 'zod';
import type { PublishedVersion } from '../graphs/published-version.rules.js';
import { Versions } from '../graphs/version.reader.js';
import { TokenNotFound } from '../production.problems.js';
import { SiteScope } from '../site-scope.service.js';
import { groupsById, type ChildRow, type GroupRow } from './group.queries.js';
import { joinState } from './join.rules.js';
import type { ReworkTargets, TokenEventView, TokenFilter, TokenView, VisitList } from './token.contract.js';
import { isLive, liveStatuses } from './token.rules.js';
import { eventsOfToken, tokenById, tokenList, visitsOfToken, type TokenViewRow } from './token-view.queries.js';

const READ = 'production.job:read';
const listKey = z.tuple([z.uuid()]);
const eventKey = z.tuple([z.string().regex(/^\d{1,18}$/)]);

/** Tokens as everybody may see them. */
@Injectable()
export class TokenViews {
  constructor(
    private readonly database: Database,
    private readonly directory: DirectoryReader,
    private readonly scope: SiteScope,
    private readonly versions: Versions,
  ) {}

  async list(by: Caller, filter: TokenFilter): Promise<List<TokenView>> {
    const { jobTicketId, siteId, nodeCode, status, held, serial, parentId, cursor, limit } = filter;
    const [after = null] = decodeCursor(cursor, listKey) ?? [];
    const rows = await tokenList(this.database.dataSource, [
      this.scope.sites(by, READ),
      jobTicketId ?? null,
      siteId ?? null,
      nodeCode ?? null,
      status === undefined ? null : status === 'live' ? liveStatuses : [status],
      held ?? null,
      serial ?? null,
      parentId ?? null,
      after,
      limit + 1,
    ]);
    const joins = await this.joins(rows);
    return listFrom(
      rows,
      limit,
      (row) => [row.id],
      (row) => view(row, joins.get(row.id)),
    );
  }

  async get(by: Caller, id: string): Promise<TokenView> {
    const row = await this.seen(by, id);
    return view(row, (await this.joins([row])).get(id));
  }

  async events(by: Caller, id: string, { cursor, limit }: Page): Promise<List<TokenEventView>> {
    await this.seen(by, id);
    const [after = null] = decodeCursor(cursor, eventKey) ?? [];
    const rows = await eventsOfToken(this.database.dataSource, [id, after, limit + 1]);
    const people = await this.directory.people(
      by,
      rows.flatMap(({ actorId }) => actorId ?? []),
    );
    return listFrom(
      rows,
      limit,
      (row) => [row.id],
      ({ actorId, at, clientTime, ...row }) => ({
        ...row,
        actor: people.get(actorId ?? '') ?? null,
        at: at.toISOString(),
        clientTime: clientTime?.toISOString() ?? null,
      }),
    );
  }

  async visits(by: Caller, id: string): Promise<VisitList> {
    await this.seen(by, id);
    const rows = await visitsOfToken(this.database.dataSource, [id]);
    const people = await this.directory.people(
      by,
      rows.flatMap(({ operatorId }) => operatorId ?? []),
    );
    const items = rows.map(({ operatorId, enteredAt, admittedAt, firstStartedAt, completedAt, leftAt, ...row }) => ({
      ...row,
      operator: people.get(operatorId ?? '') ?? null,
      enteredAt: enteredAt.toISOString(),
      admittedAt: admittedAt?.toISOString() ?? null,
      firstStartedAt: firstStartedAt?.toISOString() ?? null,
      completedAt: completedAt?.toISOString() ?? null,
      leftAt: leftAt?.toISOString() ?? null,
    }));
    return { items };
  }

  /** Where the token can be sent back to from the quality control at which it is. */
  async reworkTargets(by: Caller, id: string): Promise<ReworkTargets> {
    const { graphVersionId, nodeId, nodeType } = await this.seen(by, id);
    if (nodeId === null || nodeType !== 'qc') return { items: [] };
    const version = await this.versions.get(this.database.dataSource, graphVersionId);
    return {
      items: version
        .reworkTargets(nodeId)
        .map(({ id: target, code, name }) => ({ nodeId: target, nodeCode: code, name })),
    };
  }

  private async seen(by: Caller, id: string): Promise<TokenViewRow> {
    const [row] = await tokenById(this.database.dataSource, [id, this.scope.sites(by, READ)]);
    if (!row) throw new TokenNotFound([id]);
    return row;
  }

  private async joins(rows: readonly TokenViewRow[]): Promise<Map<string, TokenView['join']>> {
    const waiting = rows.filter(({ groupId }) => groupId !== null);
    if (waiting.length === 0) return new Map();
    const on = this.database.dataSource;
    const ids = [...new Set(waiting.map(({ groupId }) => groupId))];
    const groups = new Map((await groupsById(on, [ids])).map((group) => [group.id, group]));
    const joins = new Map<string, TokenView['join']>();
    for (const { id, groupId, nodeId, nodeType, graphVersionId } of waiting) {
      const group = groups.get(groupId ?? '');
      const joinId = nodeType === 'join' ? nodeId : (group?.joinNodeId ?? null);
      if (!group || joinId === null) continue;
      joins.set(id, standing(await this.versions.get(on, graphVersionId), group, joinId));
    }
    return joins;
  }
}

function standing(version: PublishedVersion, group: GroupRow, joinId: string): TokenView['join'] {
  const children = group.children.map((child) => ({
    ...child,
    hasArrived: isLive(child.status) && child.arrivals.some(({ joinNodeId }) => joinNodeId === joinId),
    mayArrive: child.nodeId !== null && version.reaches(child.nodeId, joinId),
  }));
  const { arrived, missing } = joinState(version.node(joinId), children);
  return {
    arrived: arrived.length,
    expected: arrived.length + missing.length,
    missing: missing.map((key) => nameOf(group.children, key)),
  };
}

function nameOf(children: readonly ChildRow[], key: string): string {
  return children.find(({ branchKey }) => branchKey === key)?.component ?? key;
}

function view(row: TokenViewRow, join: TokenView['join'] | undefined): TokenView {
  return {
    ...row,
    join: join ?? null,
    queueEnteredAt: row.queueEnteredAt?.toISOString() ?? null,
    completedAt: row.completedAt?.toISOString() ?? null,
    spawnedAt: row.spawnedAt.toISOString(),
    firstSpawnedAt: row.firstSpawnedAt.toISOString(),
  };
}
