import { randomUUID } from 'node:crypto';
import type { SiteView, TeamView } from '@belay/directory';
import type { Domain } from '@belay/platform';
import {
  graphView,
  production,
  runView,
  ticketView,
  versionItem,
  type RunView,
  type TicketView,
  type VersionItem,
} from '@belay/production';
import { Clock } from '../../libs/production/src/production.command.js';
import { fresh, join, newAccount, newSite, newTeam } from '../support/people.js';
import { TestApi, type TestApiOptions } from '../support/test-api.js';

/** Somebody who works on the floor, signed in. */
export interface Worker {
  readonly id: string;
  readonly api: TestApi;
}

/** A token as the database has it. */
export interface TokenFacts {
  readonly id: string;
  readonly status: string;
  readonly type: string;
  readonly node: string | null;
  readonly holdCode: string | null;
  readonly qty: number;
  readonly serial: string | null;
  readonly spawnSeq: number | null;
  readonly parentId: string | null;
  readonly queueReason: string | null;
}

interface WorkerDetails {
  readonly team?: string;
  readonly role?: string;
  /** What they are in their team. */
  readonly part?: Part;
}

type Part = Readonly<Record<string, unknown>>;
interface Node extends Part {
  readonly code: string;
}

interface Parting {
  readonly before?: readonly Node[];
  readonly parts: readonly Node[];
  readonly after?: readonly Node[];
}

export type Edge = readonly [from: string, to: string, details?: Part];

/** A plant with a team, its people and graphs, made through the API of the real application. */
export class Workshop {
  private constructor(
    readonly api: TestApi,
    /** Holds the role admin. */
    readonly admin: TestApi,
    readonly site: SiteView,
    /** Of the category general, so that it may claim whatever there is. */
    readonly team: TeamView,
  ) {}

  static async open(options: TestApiOptions = {}, ...domains: Domain[]): Promise<Workshop> {
    const config = { RATE_LIMIT_PER_MINUTE: 1_000_000, ...options.config };
    return Workshop.in(await TestApi.start({ ...options, config }, production, ...domains));
  }

  /** Another plant of the same application. */
  static async in(api: TestApi): Promise<Workshop> {
    const admin = await api.as('admin');
    const site = await newSite(admin);
    const team = await newTeam(admin, site.id, { teamCategory: 'general' });
    return new Workshop(api, admin, site, team);
  }

  close(): Promise<void> {
    return this.api.close();
  }

  /** What the time is for everything that is done from now on; null gives the database's own back. */
  set now(at: Date | null) {
    this.api.app.get(Clock, { strict: false }).given = at;
  }

  /** A POST that must carry a key, with a new one. */
  keyed(api: TestApi = this.admin): TestApi {
    return api.withHeaders({ 'idempotency-key': randomUUID() });
  }

  newTeam(details: Part = {}): Promise<TeamView> {
    return newTeam(this.admin, this.site.id, details);
  }

  /** Somebody of the team with the role at the plant: an operator, unless another is said. */
  async worker({ team = this.team.id, role = 'operator', part = {} }: WorkerDetails = {}): Promise<Worker> {
    const { id } = await newAccount(this.admin, { roles: [{ role, siteId: this.site.id }] });
    await join(this.admin, team, id, part);
    return { id, api: await this.api.asAccount(id) };
  }

  workers(count: number): Promise<Worker[]> {
    return Promise.all(Array.from({ length: count }, () => this.worker()));
  }

  /** A graph that is drawn and published. */
  async graph(nodes: readonly Part[], edges: readonly Edge[], details: Part = {}): Promise<VersionItem> {
    const drawn = edges.map(([from, to, more = {}]) => ({ from, to, ...more }));
    const body = { code: fresh('G'), name: 'Graph', nodes, edges: drawn, ...details };
    const { id } = await this.keyed().post('/api/production/graphs', body, 201, graphView);
    return this.keyed().post(`/api/production/graphs/${id}/publish`, {}, 200, versionItem);
  }

  /** Start, one operation after another, end. */
  linear(...operations: readonly (string | Node)[]): Promise<VersionItem> {
    const steps = operations.map((step) => (typeof step === 'string' ? operation(step) : step));
    const nodes = [start(), ...steps, end()];
    return this.graph(nodes, inLine(nodes));
  }

  /** One step after another to a split, one component on each branch, and from the join one step after another again. */
  parted({ before = [], parts, after = [] }: Parting, ...more: readonly Edge[]): Promise<VersionItem> {
    const split = { code: 'SPLIT', name: 'Parts', type: 'split' };
    const join = { code: 'JOIN', name: 'Together', type: 'join' };
    const branches = parts.flatMap(({ code }): Edge[] => [
      [split.code, code, { componentCode: code }],
      [code, join.code],
    ]);
    const first = [start(), ...before, split];
    const last = [join, ...after, end()];
    return this.graph([...first, ...parts, ...last], [...inLine(first), ...branches, ...inLine(last), ...more]);
  }

  /** A job of one batch of ten, unless more is said. */
  ticket(graph: { readonly graphId: string }, details: Part = {}): Promise<TicketView> {
    const body = {
      siteId: this.site.id,
      graphId: graph.graphId,
      line: 'atelier',
      processMode: 'batch',
      sku: 'TOTE12',
      targetQty: 10,
      ...details,
    };
    return this.keyed().post('/api/production/job-tickets', body, 201, ticketView);
  }

  start(ticket: { readonly id: string }): Promise<RunView> {
    return this.keyed().post(`/api/production/job-tickets/${ticket.id}/start`, {}, 200, runView);
  }

  /** A job of pieces that runs, with its tokens in the order in which they were made. */
  async pieces(graph: { readonly graphId: string }, count: number, details: Part = {}): Promise<TokenFacts[]> {
    const ticket = await this.ticket(graph, { processMode: 'piece', targetQty: count, ...details });
    await this.start(ticket);
    return this.tokens(ticket);
  }

  /** All tokens of a job as they are now, whatever their attempt. */
  tokens(ticket: { readonly id: string }): Promise<TokenFacts[]> {
    return this.api.rows<TokenFacts>(
      `SELECT t.id, t.status, t.token_type AS type, n.node_code AS node, t.hold_code AS "holdCode", t.qty::float8 AS qty,
              t.serial, t.spawn_seq AS "spawnSeq", t.parent_token_id AS "parentId", t.queue_reason AS "queueReason"
       FROM production.flow_token t
       JOIN production.job_graph_instance i ON i.id = t.instance_id
       LEFT JOIN production.routing_node n ON n.id = t.current_node_id
       WHERE i.job_ticket_id = $1 ORDER BY i.attempt_no, t.spawn_seq, t.branch_key, t.branch_no, t.id`,
      [ticket.id],
    );
  }
}

function inLine(nodes: readonly Node[]): Edge[] {
  return nodes.slice(1).map(({ code }, n) => [nodes[n]?.code ?? '', code]);
}

export function start(): Node {
  return { code: 'START', name: 'Start', type: 'start' };
}

export function end(code = 'END', details: Part = {}): Node {
  return { code, name: code, type: 'end', ...details };
}

/** A node where people work. */
export function operation(code: string, details: Part = {}): Node {
  return { code, name: code, type: 'operation', teamCategory: 'general', ...details };
}
