import { randomUUIDv7 } from 'node:crypto';
import { jest } from '@jest/globals';
import { assignment } from '@belay/assignment';
import { Database } from '@belay/platform';
import type { Assignee, Decision, NodeToAssign, Question, TokenToAssign } from '@belay/production';
import pg from 'pg';
import type { EntityManager } from 'typeorm';
import { ResolverPolicy } from '../../libs/assignment/src/resolver/resolver-policy.service.js';
import { Versions } from '../../libs/production/src/graphs/version.reader.js';
import { operation, Workshop } from '../production/workshop.js';

type Details = Readonly<Record<string, unknown>>;

/** A person in the first team of the room unless said. */
interface Hand {
  readonly team?: string;
  readonly zone?: string;
  readonly role?: string;
  readonly capacity?: number;
  readonly order?: number;
}

/** Where tokens are, and what they wait for there. */
interface Stay {
  readonly at?: string;
  readonly waitingFor?: string | null;
}

/** The time of the room; its site is in Tokyo, where it is 21:00 of the same day and the evening shift is on. */
export const noon = new Date('2025-11-20T12:00:00Z');
const minute = 60_000;
export const later = (minutes: number) => new Date(noon.getTime() + minutes * minute);

/** A node with people around it, of which the resolver is asked as production asks it. */
export class DecisionRoom {
  private constructor(
    readonly shop: Workshop,
    readonly siteId: string,
    readonly teamId: string,
    readonly node: NodeToAssign,
    private readonly jobTicketId: string,
    private readonly instanceId: string,
  ) {}

  /** A site of its own, with a team for sewing and a job of its node, after which there is another one. */
  static async in(shop: Workshop, node: Details = {}, team: Details = {}, next: Details = {}): Promise<DecisionRoom> {
    const siteId = await shop.api.rows<{ id: string }>(
      `WITH s AS (
         INSERT INTO directory.site (id, code, name, kind, time_zone, working_hours, row_version)
         VALUES ($1, $2, 'Site', 'plant', 'Asia/Tokyo', '{}', 1) RETURNING id),
       h AS (
         INSERT INTO directory.shift (site_id, code, starts, ends)
         SELECT s.id, v.code, v.starts::time, v.ends::time
         FROM s, (VALUES ('morning', '06:00', '14:00'), ('evening', '14:00', '22:00'), ('night', '22:00', '06:00'),
                         ('full', '00:00', '00:00')) AS v (code, starts, ends))
       SELECT id FROM s`,
      [randomUUIDv7(), `R-${randomUUIDv7()}`],
    );
    const site = idOf(siteId);
    const teamId = await newTeam(shop, site, team);
    const version = await shop.linear(
      operation('SEW', { teamCategory: 'sewing', estimatedMinutes: 30, ...node }),
      operation('PACK', next),
    );
    const versions = shop.api.app.get(Versions, { strict: false });
    const published = await versions.get(shop.api.app.get(Database).dataSource, version.id);
    const sew = published.nodeOfCode('SEW');
    if (!sew) throw new Error('The graph has the node');
    const job = randomUUIDv7();
    const instance = randomUUIDv7();
    await shop.api.rows(
      `WITH j AS (
         INSERT INTO production.job_ticket (id, code, site_id, line, process_mode, target_qty, graph_version_id, status)
         VALUES ($1, $2, $3, 'atelier', 'piece', 100, $4, 'in_progress') RETURNING id)
       INSERT INTO production.job_graph_instance (id, job_ticket_id, graph_version_id, attempt_no)
       SELECT $5, id, $4, 1 FROM j`,
      [job, `J-${job}`, site, version.id, instance],
    );
    const asked = { ...sew, graphId: published.graphId, versionId: version.id };
    return new DecisionRoom(shop, site, teamId, asked, job, instance);
  }

  get jobId(): string {
    return this.jobTicketId;
  }

  team(details: Details = {}): Promise<string> {
    return newTeam(this.shop, this.siteId, details);
  }

  /** People in the order of their ids. */
  async hands(count: number, details: Hand = {}): Promise<string[]> {
    const ids = Array.from({ length: count }, () => randomUUIDv7()).toSorted();
    await this.shop.api.rows(
      `INSERT INTO directory.account (id, kind, username, display_name, row_version)
       SELECT id, 'person', 'hand-' || id, 'Hand', 1 FROM unnest($1::uuid[]) AS id`,
      [ids],
    );
    for (const id of ids) await this.join(id, details);
    return ids;
  }

  async join(
    operatorId: string,
    { team = this.teamId, role = 'member', capacity = 100, order = 50 }: Hand = {},
  ): Promise<void> {
    await this.shop.api.rows(
      `INSERT INTO directory.team_member (id, team_id, account_id, role, capacity_per_day, sort_priority, row_version)
       VALUES ($1, $2, $3, $4, $5, $6, 1)`,
      [randomUUIDv7(), team, operatorId, role, capacity, order],
    );
  }

  /** Tokens that have just come: to the node, and let in there, unless said. */
  async tokens(count: number, { at = 'SEW', waitingFor = null }: Stay = {}): Promise<TokenToAssign[]> {
    const ids = Array.from({ length: count }, () => randomUUIDv7()).toSorted();
    await this.shop.api.rows(
      `INSERT INTO production.flow_token (id, instance_id, token_type, current_node_id, status, qty, spawned_at, first_spawned_at,
                                          queue_reason, queue_entered_at)
       SELECT t.id, $2, 'batch', n.id, CASE WHEN $5::text IS NULL THEN 'ready' ELSE 'waiting' END, 1, $4, $4, $5,
              CASE WHEN $5::text IS NOT NULL THEN $4::timestamptz END
       FROM unnest($1::uuid[]) AS t (id)
       JOIN production.routing_node n ON n.graph_version_id = $3 AND n.node_code = $6`,
      [ids, this.instanceId, this.node.versionId, noon, waitingFor, at],
    );
    const { instanceId, jobTicketId, siteId } = this;
    return ids.map((id) => ({ id, instanceId, jobTicketId, siteId, qty: 1, priority: 0 }));
  }

  /** What may be at the node at once, and wait for it. */
  async limit({ concurrency, wip, queue }: { concurrency?: number; wip?: number; queue?: number }): Promise<void> {
    await this.shop.api.rows(
      `INSERT INTO production.node_limit (graph_id, node_code, concurrency_limit, wip_limit, queue_limit, source)
       VALUES ($1, 'SEW', $2, $3, $4, 'manual')
       ON CONFLICT (graph_id, node_code) DO UPDATE
         SET concurrency_limit = excluded.concurrency_limit, wip_limit = excluded.wip_limit, queue_limit = excluded.queue_limit`,
      [this.node.graphId, concurrency ?? null, wip ?? null, queue ?? null],
    );
  }

  /** Somebody who has worked at the node for so many minutes. */
  async works(operatorId: string, minutes: number): Promise<void> {
    const [token] = await this.tokens(1);
    await this.shop.api.rows(
      `WITH a AS (
         INSERT INTO production.token_assignment (id, token_id, node_id, assigned_to_type, operator_id, method, status, assigned_at,
                                                  started_at, status_changed_at)
         VALUES (gen_random_uuid(), $1, $2, 'operator', $3, 'MANUAL', 'started', now(), now(), now()))
       INSERT INTO production.token_work_session (id, token_id, node_id, operator_id, status, started_at)
       VALUES (gen_random_uuid(), $1, $2, $3, 'active', now() - make_interval(mins => $4))`,
      [token?.id, this.node.id, operatorId, minutes],
    );
  }

  ask(tokens: readonly TokenToAssign[], facts: Partial<Question> = {}): Promise<readonly Decision[]> {
    return this.inTransaction((tx) => this.askIn(tx, tokens, facts));
  }

  /** How many statements a decision takes. */
  statements(tokens: readonly TokenToAssign[]): Promise<number> {
    return this.inTransaction(async (tx) => {
      const client: unknown = await tx.queryRunner?.connect();
      if (!(client instanceof pg.Client)) throw new Error('The transaction has a connection');
      const query = jest.spyOn(client, 'query');
      try {
        await this.askIn(tx, tokens, {});
        return query.mock.calls.length;
      } finally {
        query.mockRestore();
      }
    });
  }

  /** As production does: the decisions, then the rows. */
  give(tokens: readonly TokenToAssign[], facts: Partial<Question> = {}): Promise<(string | null)[]> {
    return this.inTransaction(async (tx) => {
      const decisions = await this.askIn(tx, tokens, facts);
      await this.insert(tx, decisions, facts.at ?? noon);
      return decisions.map(operatorOf);
    });
  }

  /** Open work that is somebody's already. */
  async busy(operatorId: string, count: number, { at = noon, status = 'assigned' } = {}): Promise<void> {
    const tokens = await this.tokens(count);
    await this.shop.api.rows(
      `INSERT INTO production.token_assignment (id, token_id, node_id, assigned_to_type, operator_id, method, status,
                                                assigned_at, status_changed_at, cancel_reason)
       SELECT gen_random_uuid(), id, $2, 'operator', $3, 'MANUAL', $5, $4, $4, 'test' FROM unnest($1::uuid[]) AS id`,
      [tokens.map(({ id }) => id), this.node.id, operatorId, at, status],
    );
  }

  async leave(operatorId: string, from: Date, until: Date): Promise<void> {
    await this.shop.api.rows(
      `INSERT INTO assignment.leave_request (id, operator_id, leave_type, period, status, approved_by, created_by)
       VALUES ($1, $2, 'vacation', tstzrange($3, $4), 'approved', $1, $1)`,
      [randomUUIDv7(), operatorId, from, until],
    );
  }

  async roster(operatorId: string, day: string, shift: string, status: string): Promise<void> {
    await this.shop.api.rows(
      `INSERT INTO assignment.operator_availability (operator_id, day, shift, status) VALUES ($1, $2, $3, $4)`,
      [operatorId, day, shift, status],
    );
  }

  async skill(operatorId: string, code: string, level: number, expiresAt: string | null = null): Promise<void> {
    await this.shop.api.rows(
      `INSERT INTO directory.operator_skill (account_id, skill_code, level, expires_at, row_version) VALUES ($1, $2, $3, $4, 1)`,
      [operatorId, code, level, expiresAt],
    );
  }

  get policy(): ResolverPolicy {
    return this.shop.api.app.get(ResolverPolicy, { strict: false });
  }

  inTransaction<Answer>(work: (tx: EntityManager) => Promise<Answer>): Promise<Answer> {
    return this.shop.api.app.get(Database).dataSource.transaction(work);
  }

  private askIn(
    tx: EntityManager,
    tokens: readonly TokenToAssign[],
    facts: Partial<Question>,
  ): Promise<readonly Decision[]> {
    const flags = this.policy.flags(this.node.graphId) ?? {};
    const question = {
      tokens,
      node: this.node,
      cause: 'spawn',
      limit: null,
      exclude: new Map(),
      flags,
      at: noon,
    } as const;
    return this.policy.decide(tx, { ...question, ...facts });
  }

  private async insert(tx: EntityManager, decisions: readonly Decision[], at: Date): Promise<void> {
    const given = decisions.flatMap((one) => (one.decision === 'ASSIGNED' ? [one] : []));
    await tx.query(
      `INSERT INTO production.token_assignment (id, token_id, node_id, assigned_to_type, team_id, operator_id, method, status,
                                                assigned_at, status_changed_at)
       SELECT gen_random_uuid(), g.token, $1, g.type, g.team, g.operator, g.method, 'assigned', $2::timestamptz, $2::timestamptz
       FROM unnest($3::uuid[], $4::text[], $5::uuid[], $6::uuid[], $7::text[]) AS g (token, type, team, operator, method)`,
      [
        this.node.id,
        at,
        given.map(({ tokenId }) => tokenId),
        given.map(({ assignee }) => assignee.type),
        given.map(({ assignee }) => assignee.teamId),
        given.map(({ assignee }) => assignee.operatorId),
        given.map(({ method }) => method),
      ],
    );
  }
}

export function openWorkshop(): Promise<Workshop> {
  return Workshop.open({}, assignment);
}

/** Who got it; null when nobody did, or a team. */
export function operatorOf(decision: Decision): string | null {
  const assignee: Assignee | null = decision.decision === 'ASSIGNED' ? decision.assignee : null;
  return assignee?.operatorId ?? null;
}

async function newTeam(shop: Workshop, siteId: string, details: Details): Promise<string> {
  const { category = 'sewing', mode = 'hybrid', load = 'count', dispatch = 'PUSH' } = details;
  const id = randomUUIDv7();
  await shop.api.rows(
    `INSERT INTO directory.team (id, code, name, site_id, team_category, production_mode, load_mode, dispatch_mode, row_version)
     VALUES ($1, $2, 'Team', $3, $4, $5, $6, $7, 1)`,
    [id, `T-${id}`, siteId, category, mode, load, dispatch],
  );
  return id;
}

function idOf(rows: readonly { readonly id: string }[]): string {
  const [row] = rows;
  if (!row) throw new Error('The row was written');
  return row.id;
}
