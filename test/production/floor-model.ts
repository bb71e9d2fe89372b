import { randomUUID } from 'node:crypto';
import type { VersionItem } from '@belay/production';
import { Caller, problem } from '@belay/platform';
import { expect } from '@jest/globals';
import { WakeUp } from '../../libs/production/src/work/wake-up.service.js';
import type { Deed } from './floor-deeds.js';
import { breaches } from './floor-invariants.js';
import { end, operation, start, type Worker, type Workshop } from './workshop.js';

/** What somebody may be told when they come too late, or ask for what is not theirs. Nothing else is ever answered. */
const refusals = [
  'action-not-for-node',
  'assignment-not-found',
  'assignment-started',
  'assignment-state',
  'concurrency-full',
  'instance-archived',
  'job-paused',
  'job-state',
  'mode-mismatch',
  'not-assignee',
  'operator-busy',
  'permission-missing',
  'target-not-allowed',
  'token-held',
  'token-state',
];

interface LiveToken {
  readonly id: string;
  readonly status: string;
  readonly node: string;
  readonly type: string;
  readonly isHeld: boolean;
  readonly worker: string | null;
  readonly assignmentId: string | null;
}

/** The two graphs: bags of two parts that are checked and reworked, and a batch that is shared out. */
export async function drawGraphs(shop: Workshop): Promise<VersionItem[]> {
  const check = {
    code: 'QC',
    name: 'Check',
    type: 'qc',
    teamCategory: 'general',
    qcPolicy: { reworkLimit: 1, allowScrap: true },
  };
  const bags = await shop.parted(
    {
      before: [operation('CUT', { wipLimit: 4, concurrencyLimit: 2 })],
      parts: [
        operation('BODY', { scrapPolicy: { mode: 'auto_from_start' } }),
        operation('STRAP', { concurrencyLimit: 1 }),
      ],
      after: [operation('SEW', { wipLimit: 2, scrapPolicy: { mode: 'auto_from_cut' } }), check],
    },
    ['QC', 'SEW', { type: 'rework' }],
  );
  const sheets = await shop.graph(
    [
      start(),
      operation('CUT'),
      { code: 'SHARE', name: 'Share', type: 'split', splitPolicy: 'RATIO' },
      operation('PRESS', { concurrencyLimit: 1, queueLimit: 1 }),
      operation('PACK'),
      end('END'),
      end('OTHER'),
    ],
    [
      ['START', 'CUT'],
      ['CUT', 'SHARE'],
      ['SHARE', 'PRESS', { weight: 0.6 }],
      ['SHARE', 'PACK', { weight: 0.4 }],
      ['PRESS', 'END'],
      ['PACK', 'OTHER'],
    ],
  );
  return [bags, sheets];
}

/** The real floor with jobs of its own, and whoever acts on it. After everything that anybody does all rules hold. */
export class FloorModel {
  private constructor(
    private readonly shop: Workshop,
    private readonly people: readonly Worker[],
    readonly ticketIds: readonly string[],
  ) {}

  static async open(shop: Workshop, people: readonly Worker[], graphs: readonly VersionItem[]): Promise<FloorModel> {
    const [bags, sheets] = graphs;
    if (!bags || !sheets) throw new Error('There are two graphs');
    const tickets = [
      await shop.ticket(bags, { processMode: 'piece', targetQty: 3 }),
      await shop.ticket(sheets, { targetQty: 7 }),
    ];
    // Four at a time: the tokens are made once.
    await Promise.all(tickets.flatMap((ticket) => Array.from({ length: 4 }, () => shop.start(ticket))));
    return new FloorModel(
      shop,
      people,
      tickets.map(({ id }) => id),
    );
  }

  /** One who may everything works on all of it for some rounds, so that others begin in the middle. */
  async advance(foreman: Worker, rounds: number): Promise<void> {
    for (let round = 0; round < rounds; round += 1) {
      for (const token of await this.live()) await this.bringOn(foreman, token);
      await this.wakeAll();
    }
  }

  /** Does it, whatever comes of it, and looks whether all is in order. */
  async perform(actor: Worker, one: Deed): Promise<void> {
    await this.attempt(actor, one);
    expect([one, await breaches(this.shop.api, this.ticketIds)]).toEqual([one, []]);
  }

  /** Whatever state the floor is in, one who may everything brings all jobs to their end by ordinary commands. */
  async finish(foreman: Worker): Promise<void> {
    for (const ticketId of this.ticketIds) await this.post(foreman, `job-tickets/${ticketId}/resume`);
    for (let round = 0; round < 60; round += 1) {
      const lost = await this.lost();
      for (const id of lost) await this.post(foreman, `tokens/${id}/replacement`, { reason: 'lost' });
      const live = await this.live();
      if (live.length === 0 && lost.length === 0) return;
      for (const token of live) await this.bringOn(foreman, token);
      await this.wakeAll();
      expect(await breaches(this.shop.api, this.ticketIds)).toEqual([]);
    }
    throw new Error(`Stuck: ${JSON.stringify(await this.live())}`);
  }

  private async attempt(actor: Worker, one: Deed): Promise<void> {
    if (one.do === 'wake') return this.wakeAll();
    if (one.do === 'job') {
      const ticket = this.ticketIds[one.nth % this.ticketIds.length] ?? '';
      const reason = ['pause', 'cancel'].includes(one.how) ? { reason: 'model' } : {};
      await this.post(actor, `job-tickets/${ticket}/${one.how}`, reason);
      return;
    }
    if (one.do === 'replace') {
      const lost = await this.lost();
      const id = lost[one.nth % lost.length];
      if (id !== undefined) await this.post(actor, `tokens/${id}/replacement`, { reason: 'model' });
      return;
    }
    const live = await this.live();
    const token = live[one.nth % live.length];
    if (token) await this.onToken(actor, token, one, live);
  }

  private async onToken(actor: Worker, token: LiveToken, one: Deed, live: readonly LiveToken[]): Promise<void> {
    const path = `tokens/${token.id}`;
    switch (one.do) {
      case 'work':
        return this.work(actor, token, one.passes, live);
      case 'tap twice':
        return this.tapTwice(actor, token);
      case 'start': {
        const reason = one.mode === 'replace' ? { reason: 'model' } : {};
        await this.post(actor, `${path}/start`, { mode: one.mode, ...reason });
        return;
      }
      case 'judge': {
        const fault = { result: 'fail', defectCode: 'TEAR', mode: one.recut ? 'recut' : 'same_piece' };
        await this.post(actor, `${path}/qc`, one.passes ? { result: 'pass' } : fault);
        return;
      }
      case 'assign': {
        const operatorId = this.people[one.to]?.id;
        const target = operatorId === undefined ? { teamId: this.shop.team.id } : { operatorId };
        const tokenIds = live.slice(0, 2 + (one.nth % 3)).map(({ id }) => id);
        await this.post(actor, 'assignments', { tokenIds, ...target });
        return;
      }
      case 'override':
        await this.post(actor, `${path}/override`, {
          type: one.type,
          operatorId: this.people[one.to]?.id,
          reason: 'model',
        });
        return;
      case 'answer': {
        const reason = one.how === 'accept' ? {} : { reason: 'model' };
        if (token.assignmentId !== null) await this.post(actor, `assignments/${token.assignmentId}/${one.how}`, reason);
        return;
      }
      case 'hold':
      case 'release':
        await this.post(actor, `${path}/${one.do}`, { reason: 'model' });
        return;
      case 'scrap':
        await this.post(actor, `${path}/scrap`, { note: 'model' });
        return;
      case 'move':
        await this.post(actor, `${path}/move`, { nodeCode: one.to, reason: 'model' });
        return;
      case 'adjust':
        await this.post(actor, `${path}/adjust`, { priority: one.priority, reason: 'model' });
        return;
      case 'pause':
      case 'resume': {
        const mine = live.find(({ worker }) => worker === actor.id) ?? token;
        await this.post(actor, `tokens/${mine.id}/${one.do}`);
        return;
      }
      case 'complete':
      case 'claim':
        await this.post(actor, `${path}/${one.do}`);
        return;
      default:
    }
  }

  /** What anybody does on a usual day: ends what they are at, else takes up something that is free. */
  private async work(actor: Worker, token: LiveToken, passes: boolean, live: readonly LiveToken[]): Promise<void> {
    const mine = live.find(({ worker, status }) => worker === actor.id && status === 'active');
    const paused = live.find(({ worker, status }) => worker === actor.id && status === 'paused');
    if (mine) return this.complete(actor, mine, passes);
    if (paused) {
      await this.post(actor, `tokens/${paused.id}/resume`);
      return;
    }
    if (token.node === 'QC') return this.complete(actor, token, passes);
    const free = live.find(({ status, isHeld }) => status === 'ready' && !isHeld) ?? token;
    await this.post(actor, `tokens/${(token.status === 'ready' ? token : free).id}/start`);
  }

  private async complete(actor: Worker, { id, node }: LiveToken, passes: boolean): Promise<void> {
    if (node !== 'QC') {
      await this.post(actor, `tokens/${id}/complete`);
      return;
    }
    await this.post(actor, `tokens/${id}/qc`, passes ? { result: 'pass' } : { result: 'fail', defectCode: 'TEAR' });
  }

  /** The same request twice at once, as a finger does: one effect, and one answer for both. */
  private async tapTwice(actor: Worker, { id, status, worker }: LiveToken): Promise<void> {
    const act = status === 'active' && worker === actor.id ? 'complete' : 'start';
    const key = randomUUID();
    const tap = () => this.post(actor, `tokens/${id}/${act}`, {}, key);
    const [one, other] = await Promise.all([tap(), tap()]);
    if (one.statusCode === 200 && other.statusCode === 200) expect(other.json()).toEqual(one.json());
  }

  private async bringOn(foreman: Worker, token: LiveToken): Promise<void> {
    const path = `tokens/${token.id}`;
    if (token.isHeld) await this.post(foreman, `${path}/release`, { reason: 'on with it' });
    if (token.status === 'waiting' || ['SPLIT', 'JOIN', 'SHARE'].includes(token.node)) return;
    if (token.node === 'QC') {
      await this.post(foreman, `${path}/qc`, { result: 'pass' });
      return;
    }
    if (token.status === 'ready') {
      // Taken away from whoever has it: to cancel it would only have somebody else found.
      if (token.assignmentId !== null)
        await this.post(foreman, `${path}/start`, { mode: 'replace', reason: 'on with it' });
      await this.post(foreman, `${path}/start`);
    }
    await this.post(foreman, `${path}/complete`);
  }

  /** Asks; whatever is refused is refused for one of the known reasons. */
  private async post(actor: Worker, path: string, body: object = {}, key: string = randomUUID()) {
    const headers = { 'idempotency-key': key };
    const response = await actor.api.send('POST', `/api/production/${path}`, body, headers);
    if (response.statusCode < 300) return response;
    const { code, detail } = problem.parse(response.json());
    expect({ path, body, code, detail, known: refusals.includes(code) }).toMatchObject({ known: true });
    return response;
  }

  private async wakeAll(): Promise<void> {
    const wakeUp = this.shop.api.app.get(WakeUp, { strict: false });
    const system = Caller.system(randomUUID());
    for (const scope of await wakeUp.scopes()) await wakeUp.admit(system, scope);
  }

  private live(): Promise<LiveToken[]> {
    return this.shop.api.rows<LiveToken & Record<string, unknown>>(
      `SELECT t.id, t.status, n.node_code AS node, t.token_type AS type, t.hold_code IS NOT NULL AS "isHeld",
              s.operator_id AS worker, a.id AS "assignmentId"
       FROM production.flow_token t
       JOIN production.job_graph_instance i ON i.id = t.instance_id
       JOIN production.routing_node n ON n.id = t.current_node_id
       LEFT JOIN production.token_work_session s
         ON s.token_id = t.id AND s.status IN ('active', 'paused') AND s.help_type <> 'assist'
       LEFT JOIN production.token_assignment a
         ON a.token_id = t.id AND a.status IN ('assigned', 'accepted', 'started', 'paused')
       WHERE i.job_ticket_id = ANY ($1::uuid[]) ORDER BY t.serial, t.id`,
      [this.ticketIds],
    );
  }

  /** What was scrapped and has nothing in its place, though its job, or the thing it is a part of, still needs it. */
  private async lost(): Promise<string[]> {
    const rows = await this.shop.api.rows<{ id: string }>(
      `SELECT t.id FROM production.flow_token t
       JOIN production.job_graph_instance i ON i.id = t.instance_id AND i.status IN ('active', 'paused')
       LEFT JOIN production.flow_token p ON p.id = t.parent_token_id
       LEFT JOIN production.token_parallel_group g ON g.id = t.parallel_group_id
       WHERE i.job_ticket_id = ANY ($1::uuid[]) AND t.status = 'scrapped'
         AND NOT EXISTS (SELECT FROM production.flow_token r WHERE r.replaces_token_id = t.id)
         AND (t.token_type <> 'component' OR p.current_node_id IS NOT NULL AND g.merged_at IS NULL)
       ORDER BY t.id`,
      [this.ticketIds],
    );
    return rows.map(({ id }) => id);
  }
}
