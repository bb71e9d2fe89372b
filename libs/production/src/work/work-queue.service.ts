import { Injectable } from '@nestjs/common';
import { Database, decodeCursor, listFrom, type Caller, type List, type Page } from '@belay/platform';
import { DirectoryReader, type PersonView } from '@belay/directory';
import { z } from 'zod';
import { actionsAt } from '../graphs/node-type.rules.js';
import { Clock } from '../production.command.js';
import { scopeOf } from './scope.rules.js';
import { sessionViewOf } from './session.rules.js';
import { Turns } from './turns.service.js';
import { WaitEstimates } from './wait-estimate.service.js';
import { WORK } from './work-access.service.js';
import { WorkNodes } from './work-node.service.js';
import type { WorkItem } from './work-queue.contract.js';
import { joinsOf, reassignedFrom, workQueueOf, type TokenSession, type WorkRow } from './work-queue.queries.js';
import { offersOf } from './work-queue.rules.js';
import type { NodeToAssign } from './assignment-policy.contract.js';

const JUDGE = 'production.qc:decide';
const listKey = z.tuple([z.int(), z.int(), z.string(), z.string(), z.uuid()]);

/** What of a page is read beside it. */
interface Around {
  readonly nodes: ReadonlyMap<string, NodeToAssign>;
  readonly positions: ReadonlyMap<string, number>;
  readonly waits: ReadonlyMap<string, number | null>;
  readonly people: ReadonlyMap<string, PersonView>;
  readonly before: ReadonlyMap<string, string>;
  readonly joins: ReadonlyMap<string, WorkItem['join']>;
}

/** What there is to do for an operator. It suggests; who may do what is decided when they do it. */
@Injectable()
export class WorkQueueService {
  constructor(
    private readonly clock: Clock,
    private readonly database: Database,
    private readonly directory: DirectoryReader,
    private readonly estimates: WaitEstimates,
    private readonly nodes: WorkNodes,
    private readonly turns: Turns,
  ) {}

  async list(by: Caller, { cursor, limit }: Page): Promise<List<WorkItem>> {
    const after = decodeCursor(cursor, listKey) ?? [null, null, null, null, null];
    const values = [by.accountId, this.clock.given, ...after, limit + 1];
    const rows = await workQueueOf(this.database.dataSource, values);
    const around = await this.around(by, rows.slice(0, limit));
    const key = (row: WorkRow) => [row.rank, row.priority, row.dueKey, row.enteredKey, row.tokenId];
    return listFrom(rows, limit, key, (row) => itemOf(by, row, around));
  }

  private async around(by: Caller, rows: readonly WorkRow[]): Promise<Around> {
    const on = this.database.dataSource;
    const nodes = new Map<string, NodeToAssign>();
    for (const { nodeId, versionId } of rows) {
      if (!nodes.has(nodeId)) nodes.set(nodeId, await this.nodes.node(on, versionId, nodeId));
    }
    const groups = [...new Set(rows.flatMap(({ groupId }) => groupId ?? []))];
    const [queued, shown, joins] = await Promise.all([
      this.queued(rows, nodes),
      this.shown(by, rows),
      groups.length > 0 ? joinsOf(on, [groups]) : [],
    ]);
    return { nodes, ...queued, ...shown, joins: new Map(joins.map(({ groupId, ...join }) => [groupId, join])) };
  }

  /** Who is named on the page, and whose the work was before. */
  private async shown(by: Caller, rows: readonly WorkRow[]): Promise<Pick<Around, 'people' | 'before'>> {
    const given = rows.filter(({ method }) => method === 'REASSIGN').map(({ tokenId }) => tokenId);
    const before = given.length > 0 ? await reassignedFrom(this.database.dataSource, [given]) : [];
    const ids = new Set([...rows.flatMap(peopleIn), ...before.map(({ operatorId }) => operatorId)]);
    return {
      people: ids.size > 0 ? await this.directory.people(by, [...ids]) : new Map(),
      before: new Map(before.map(({ tokenId, operatorId }) => [tokenId, operatorId])),
    };
  }

  private async queued(rows: readonly WorkRow[], nodes: ReadonlyMap<string, NodeToAssign>) {
    const waiting = rows.flatMap((row) => {
      const node = nodes.get(row.nodeId);
      return node && row.status === 'waiting' && row.queueReason !== null
        ? [{ row, node, queueReason: row.queueReason, scope: scopeOf(node, row.instanceId) }]
        : [];
    });
    const [first] = waiting;
    if (!first) return { positions: new Map<string, number>(), waits: new Map<string, number | null>() };
    const turns = waiting.map(({ row, scope }) => ({ ...row, enteredAt: row.queueEnteredAt ?? row.enteredAt, scope }));
    const positions = await this.turns.positions(this.database.dataSource, turns);
    const asked = waiting.map(({ row, node, queueReason }) => ({
      token: { ...row, id: row.tokenId, jobTicketId: row.jobId },
      node,
      queueReason,
      position: positions.get(row.tokenId) ?? 1,
    }));
    return { positions, waits: await this.estimates.of(this.database.manager, asked, first.row.at) };
  }
}

function peopleIn({ assigneeId, sessions }: WorkRow): string[] {
  const helpers = sessions.filter(({ helpType }) => helpType === 'assist').map(({ operatorId }) => operatorId);
  return assigneeId === null ? helpers : [assigneeId, ...helpers];
}

function itemOf(by: Caller, row: WorkRow, around: Around): WorkItem {
  const { nodes, positions, waits, people, before, joins } = around;
  const node = nodes.get(row.nodeId);
  const own = row.sessions.find(({ operatorId }) => operatorId === by.accountId);
  const worker = row.sessions.find(({ helpType }) => helpType !== 'assist');
  const session = own ?? worker;
  const isElsewhere = worker !== undefined && worker.operatorId !== by.accountId;
  const offers = offersOf({
    status: row.status,
    actions: node ? actionsAt(node) : [],
    isTheirs: row.assigneeId === null || row.assigneeId === by.accountId,
    ownSession: own?.status === 'active' || own?.status === 'paused' ? own.status : null,
    isElsewhere,
    mayWork: by.may(WORK, row.siteId),
    mayJudge: by.may(JUDGE, row.siteId),
  });
  const helpers = row.sessions.filter(({ helpType, status }) => helpType === 'assist' && status === 'active');
  return {
    tokenId: row.tokenId,
    rowVersion: row.rowVersion,
    serial: row.serial,
    qty: row.qty,
    status: row.status,
    holdCode: row.holdCode,
    priority: row.priority,
    product: { sku: row.sku, name: row.productName },
    job: { id: row.jobId, code: row.jobCode, dueAt: row.dueAt?.toISOString() ?? null, notes: row.notes },
    node: { id: row.nodeId, code: row.nodeCode, name: row.nodeName, type: row.nodeType },
    enteredAt: row.enteredAt.toISOString(),
    assignment: assignmentOf(row, people, before),
    session: session ? sessionViewOf(withDates(session), row.at) : null,
    helpedBy: helpers.flatMap(({ operatorId }) => people.get(operatorId) ?? []),
    queueReason: row.queueReason,
    queuePosition: positions.get(row.tokenId) ?? null,
    estimatedWaitMinutes: waits.get(row.tokenId) ?? null,
    join: row.groupId === null ? null : (joins.get(row.groupId) ?? null),
    permissions: offers,
  };
}

function assignmentOf(
  row: WorkRow,
  people: ReadonlyMap<string, PersonView>,
  before: ReadonlyMap<string, string>,
): WorkItem['assignment'] {
  const { assignmentId: id, assignmentStatus: status, method, assigneeId } = row;
  if (id === null || status === null || method === null) return null;
  const { reasonCode, reasonText, note, teamId } = row;
  const operator = assigneeId === null ? null : (people.get(assigneeId) ?? null);
  const reassignedFrom = people.get(before.get(row.tokenId) ?? '') ?? null;
  return { id, status, method, reasonCode, reasonText, note, teamId, operator, reassignedFrom };
}

function withDates(session: TokenSession) {
  const date = (text: string | null) => (text === null ? null : new Date(text));
  return {
    ...session,
    startedAt: new Date(session.startedAt),
    pausedAt: date(session.pausedAt),
    resumedAt: date(session.resumedAt),
    endedAt: date(session.endedAt),
  };
}
