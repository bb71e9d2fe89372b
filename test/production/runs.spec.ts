import { randomUUIDv7 } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { directory } from '@belay/directory';
import { Caller, Database, Outbox, problem } from '@belay/platform';
import {
  production,
  progressView,
  ticketView,
  type ProgressView,
  type TicketView,
  type VersionItem,
} from '@belay/production';
import { z } from 'zod';
import { startWorker, type RunningWorker } from '../../apps/worker/src/worker.js';
import { invariants, nightly } from '../../libs/production/src/work/health-check.queries.js';
import { HealthService } from '../../libs/production/src/work/health.service.js';
import { eventually } from '../support/eventually.js';
import { outcome } from '../support/people.js';
import { unexplained } from './history.js';
import { end, operation, start, Workshop } from './workshop.js';

const path = '/api/production/job-tickets';
const handedOver = z.object({
  handedOver: z.int(),
  total: z.int(),
  remaining: z.int(),
  errors: z.array(z.object({ id: z.uuid(), code: z.string() })),
});

let floor: Workshop;
let graph: VersionItem;

beforeAll(async () => {
  floor = await Workshop.open();
  graph = await floor.linear('CUT', 'SEW');
});
afterAll(() => floor.close());

interface Job {
  readonly id: string;
}

const ask = (job: Job, verb: string, body: object = {}) =>
  outcome(floor.keyed(), 'POST', `${path}/${job.id}/${verb}`, body);
const run = (job: Job, verb: string, body: object = {}) => floor.keyed().post(`${path}/${job.id}/${verb}`, body, 200);
const ticketOf = (job: Job): Promise<TicketView> => floor.admin.get(`${path}/${job.id}`, 200, ticketView);
const progressOf = (job: Job): Promise<ProgressView> =>
  floor.admin.get(`${path}/${job.id}/progress`, 200, progressView);
const because = { reason: 'The customer rang' };

/** What was announced of the job, in its order. */
async function announced(job: Job): Promise<unknown[]> {
  const rows = await floor.api.rows<{ body: { change: string; status: string; execution: string } }>(
    `SELECT body FROM platform.outbox WHERE name = 'production.job-changed' AND body ->> 'jobTicketId' = $1 ORDER BY id`,
    [job.id],
  );
  return rows.map(({ body }) => `${body.change}: ${body.status} by ${body.execution}`);
}

async function begun(details: object = {}): Promise<TicketView> {
  const job = await floor.ticket(graph, { processMode: 'piece', targetQty: 2, ...details });
  await floor.start(job);
  return job;
}

/** Takes every live token of the job to the end, each by somebody who works on it. */
async function finish(job: Job): Promise<void> {
  const worker = await floor.worker();
  for (const { id, status } of await floor.tokens(job)) {
    if (status === 'completed' || status === 'scrapped') continue;
    for (let step = 0; step < 2; step += 1) {
      await floor.keyed(worker.api).post(`/api/production/tokens/${id}/start`, {}, 200);
      await floor.keyed(worker.api).post(`/api/production/tokens/${id}/complete`, {}, 200);
    }
  }
}

describe('starting a job', () => {
  it('makes its tokens once, which stand where the work begins, and announces it once', async () => {
    const job = await floor.ticket(graph, { processMode: 'piece', targetQty: 3 });
    expect(await floor.start(job)).toMatchObject({
      spawned: true,
      tokens: 3,
      ticket: { status: 'in_progress', attempt: 1 },
    });
    expect(await floor.start(job)).toMatchObject({ spawned: false, tokens: 3 });
    expect(await floor.tokens(job)).toMatchObject(
      [1, 2, 3].map((spawnSeq) => ({ spawnSeq, type: 'piece', node: 'CUT', status: 'ready' })),
    );
    expect(await announced(job)).toEqual(['started: in_progress by tokens']);
  });

  it('makes one set when it is asked for by several at once', async () => {
    const job = await floor.ticket(graph, { processMode: 'piece', targetQty: 5 });
    const asked = await Promise.all(Array.from({ length: 6 }, () => floor.start(job)));
    expect(asked.filter(({ spawned }) => spawned)).toHaveLength(1);
    expect(await floor.tokens(job)).toHaveLength(5);
  });

  it('makes one token of a batch, with all of it', async () => {
    const job = await floor.ticket(graph, { targetQty: 12.5 });
    await floor.start(job);
    expect(await floor.tokens(job)).toMatchObject([{ type: 'batch', qty: 12.5, node: 'CUT', serial: null }]);
  });

  it('ends with the job when everything has come to the end', async () => {
    const job = await begun();
    await finish(job);
    expect(await ticketOf(job)).toMatchObject({ status: 'completed', stage: null });
    expect(await announced(job)).toEqual(['started: in_progress by tokens', 'completed: completed by tokens']);
    expect(await ask(job, 'start')).toBe('409 job-state');
  });

  it('is not for a job that stations run', async () => {
    const job = await floor.ticket(graph, { execution: 'stations' });
    expect(await ask(job, 'start')).toBe('409 job-runs-at-stations');
  });
});

describe('pausing a job', () => {
  it('stops whoever works on it, and lets nobody start until it is resumed', async () => {
    const job = await begun();
    const [first, second] = await floor.tokens(job);
    const worker = await floor.worker();
    await floor.keyed(worker.api).post(`/api/production/tokens/${first?.id ?? ''}/start`, {}, 200);
    await run(job, 'pause', because);
    expect(await ticketOf(job)).toMatchObject({ status: 'in_progress', paused: true });
    expect(await floor.tokens(job)).toMatchObject([{ status: 'paused' }, { status: 'ready' }]);
    expect(
      await floor.api.rows(`SELECT status, pause_reason FROM production.token_work_session WHERE operator_id = $1`, [
        worker.id,
      ]),
    ).toEqual([{ status: 'paused', pause_reason: because.reason }]);
    const other = await floor.worker();
    const startOther = () =>
      outcome(floor.keyed(other.api), 'POST', `/api/production/tokens/${second?.id ?? ''}/start`, {});
    expect(await startOther()).toBe('409 job-paused');
    expect(await ask(job, 'pause', because)).toBe('409 job-state');
    await run(job, 'resume');
    expect(await startOther()).toBe('200');
    expect(await ask(job, 'resume')).toBe('409 job-state');
    expect(await announced(job)).toEqual([
      'started: in_progress by tokens',
      'paused: in_progress by tokens',
      'resumed: in_progress by tokens',
    ]);
    const [told] = await floor.api.rows<{ reason: string }>(
      `SELECT l.reason FROM platform.audit_log l JOIN production.job_graph_instance i ON l.record = jsonb_build_object('id', i.id)
       WHERE l.table_name = 'job_graph_instance' AND l.operation = 'UPDATE' AND l.new ->> 'status' = 'paused' AND i.job_ticket_id = $1`,
      [job.id],
    );
    expect(told?.reason).toBe(because.reason);
  });
});

describe('pausing a job while people start on it', () => {
  it('leaves nobody at work, whoever was first', async () => {
    for (let round = 0; round < 3; round += 1) {
      const job = await begun({ targetQty: 4 });
      const workers = await floor.workers(4);
      const tokens = await floor.tokens(job);
      const outcomes = await Promise.all([
        ask(job, 'pause', because),
        ...tokens.map(({ id }, n) =>
          outcome(floor.keyed(workers[n]?.api), 'POST', `/api/production/tokens/${id}/start`, {}),
        ),
      ]);
      expect(outcomes[0]).toBe('200');
      expect(outcomes.slice(1).filter((one) => one !== '200' && one !== '409 job-paused')).toEqual([]);
      const active = await floor.api.rows(
        `SELECT FROM production.token_work_session WHERE status = 'active' AND operator_id = ANY ($1)`,
        [workers.map(({ id }) => id)],
      );
      expect(active).toEqual([]);
    }
  });
});

describe('cancelling a job', () => {
  it('scraps what lives, ends who works on it and what is assigned, and archives the attempt', async () => {
    const job = await begun();
    const worker = await floor.worker();
    const [first] = await floor.tokens(job);
    await floor.keyed(worker.api).post(`/api/production/tokens/${first?.id ?? ''}/start`, {}, 200);
    await run(job, 'cancel', because);
    expect(await ticketOf(job)).toMatchObject({ status: 'cancelled', cancelReason: because.reason });
    expect(await floor.tokens(job)).toMatchObject(Array(2).fill({ status: 'scrapped', node: null }));
    const [left] = await floor.api.rows(
      `SELECT (SELECT status FROM production.job_graph_instance WHERE job_ticket_id = $1) AS instance,
              (SELECT status FROM production.token_work_session WHERE operator_id = $2) AS session,
              (SELECT status || ': ' || cancel_reason FROM production.token_assignment WHERE operator_id = $2) AS assignment,
              (SELECT count(*)::integer FROM production.token_node_visit v JOIN production.flow_token t ON t.id = v.token_id
               JOIN production.job_graph_instance i ON i.id = t.instance_id
               WHERE i.job_ticket_id = $1 AND v.left_at IS NULL) AS visits,
              (SELECT count(*)::integer FROM production.health_finding WHERE subject_id = $1) AS findings`,
      [job.id, worker.id],
    );
    expect(left).toEqual({
      instance: 'archived',
      session: 'completed',
      assignment: `cancelled: ${because.reason}`,
      visits: 0,
      findings: 0,
    });
    expect(await ask(job, 'cancel', because)).toBe('409 job-state');
  });

  it('can be done to what is only planned, and leaves nothing to restart but the plan', async () => {
    const job = await floor.ticket(graph, { processMode: 'piece', targetQty: 2 });
    expect(await ask(job, 'restart')).toBe('409 job-state');
    await run(job, 'cancel', because);
    expect(await announced(job)).toEqual(['cancelled: cancelled by tokens']);
    expect(await floor.keyed().post(`${path}/${job.id}/restart`, {}, 200)).toMatchObject({ spawned: true, tokens: 2 });
  });

  it('never brings a token back: a restart makes new ones under the serials that were printed', async () => {
    const job = await begun();
    const before = await floor.tokens(job);
    await run(job, 'cancel', because);
    await run(job, 'restart');
    const tokens = await floor.tokens(job);
    expect(tokens.slice(0, 2)).toMatchObject(before.map(({ id }) => ({ id, status: 'scrapped' })));
    expect(tokens.slice(2)).toMatchObject(before.map(({ serial }) => ({ serial, status: 'ready', node: 'CUT' })));
    expect(await ticketOf(job)).toMatchObject({ status: 'in_progress', attempt: 2, cancelReason: null });
    expect(await ask(job, 'restart')).toBe('409 job-state');
  });
});

describe('a job that is short', () => {
  it('stays open with a finding until somebody closes it, who says why', async () => {
    const job = await begun();
    const [lost] = await floor.tokens(job);
    await floor
      .keyed()
      .post(`/api/production/tokens/${lost?.id ?? ''}/scrap`, { reason: 'material_defect', note: 'A hole' }, 200);
    expect(await ask(job, 'close-short', because)).toBe('409 job-state');
    await finish(job);
    expect(await ticketOf(job)).toMatchObject({ status: 'in_progress' });
    const findings = () =>
      floor.api.rows(
        `SELECT kind, detail ->> 'closedShort' AS closed, resolved_at IS NULL AS open FROM production.health_finding WHERE subject_id = $1`,
        [job.id],
      );
    expect(await findings()).toEqual([{ kind: 'job-short', closed: null, open: true }]);
    await run(job, 'close-short', because);
    expect(await ticketOf(job)).toMatchObject({ status: 'completed' });
    expect(await findings()).toEqual([{ kind: 'job-short', closed: because.reason, open: false }]);
    expect(await ask(job, 'close-short', because)).toBe('409 job-state');
  });
});

describe('how far a job is', () => {
  it('is told node by node, from where its tokens stand and have been', async () => {
    const job = await begun();
    const worker = await floor.worker();
    const [first] = await floor.tokens(job);
    await floor.keyed(worker.api).post(`/api/production/tokens/${first?.id ?? ''}/start`, {}, 200);
    await floor.keyed(worker.api).post(`/api/production/tokens/${first?.id ?? ''}/complete`, {}, 200);
    const states = async () => (await progressOf(job)).nodes.map(({ nodeCode, state }) => `${nodeCode} ${state}`);
    expect(await progressOf(job)).toMatchObject({ targetQty: 2, completedQty: 0, scrappedQty: 0, liveQty: 2 });
    expect(await states()).toEqual(['START completed', 'CUT active', 'SEW active', 'END pending']);
    await finish(await begunAgain(job));
    expect((await progressOf(job)).nodes.map(({ passedQty }) => passedQty)).toEqual([2, 2, 2, 2]);
    expect(await states()).toEqual(['START completed', 'CUT completed', 'SEW completed', 'END completed']);
  });

  it('is in quality control when all that lives is there, and in rework while something is worked on again', async () => {
    const checked = await floor.graph(
      [start(), operation('CUT'), { code: 'QC', name: 'Look', type: 'qc', teamCategory: 'qc' }, end()],
      [
        ['START', 'CUT'],
        ['CUT', 'QC'],
        ['QC', 'END', { isDefault: true }],
        ['QC', 'CUT', { type: 'rework' }],
      ],
    );
    const job = await floor.ticket(checked, { processMode: 'piece', targetQty: 2 });
    await floor.start(job);
    const worker = await floor.worker({ role: 'supervisor' });
    const act = (token: Job, verb: string, body = {}) =>
      floor.keyed(worker.api).post(`/api/production/tokens/${token.id}/${verb}`, body, 200);
    const tokens = await floor.tokens(job);
    const stages = [(await ticketOf(job)).stage];
    for (const token of tokens) {
      await act(token, 'start');
      await act(token, 'complete');
      stages.push((await ticketOf(job)).stage);
    }
    expect(stages).toEqual([null, null, 'qc']);
    const [first, second] = tokens;
    if (!first || !second) throw new Error('Two pieces were asked for');
    await act(first, 'qc', { result: 'fail', defectCode: 'HOLE' });
    expect((await ticketOf(job)).stage).toBe('rework');
    await act(second, 'qc', { result: 'pass' });
    await act(first, 'start');
    await act(first, 'complete');
    expect((await ticketOf(job)).stage).toBe('qc');
    await act(first, 'qc', { result: 'pass' });
    expect(await ticketOf(job)).toMatchObject({ status: 'completed', stage: null });
  });

  /** The first token has one step less to go. */
  async function begunAgain(job: Job): Promise<Job> {
    const worker = await floor.worker();
    const [first] = await floor.tokens(job);
    for (const verb of ['start', 'complete']) {
      await floor.keyed(worker.api).post(`/api/production/tokens/${first?.id ?? ''}/${verb}`, {}, 200);
    }
    return job;
  }
});

describe('jobs that stations run', () => {
  let worker: RunningWorker;
  let forked: VersionItem;

  beforeAll(async () => {
    worker = await startWorker({ config: floor.api.config, domains: [directory, production] });
    forked = await floor.parted({
      before: [operation('CUT')],
      parts: [operation('BODY'), operation('STRAP')],
      after: [operation('PACK')],
    });
  });
  afterAll(() => worker.close());

  let heard = 0;

  /** Has the stations tell it. */
  function say(name: string, body: Readonly<Record<string, unknown>>, occurredAt = new Date()): Promise<void> {
    heard += 1;
    return floor.api.app.get(Database).transaction(Caller.system('oem'), async (tx) => {
      await floor.api.app.get(Outbox).add(tx, { name, body }, 'oem');
      await tx.query(`UPDATE platform.outbox SET occurred_at = $1 WHERE name = $2 AND published_at IS NULL`, [
        occurredAt,
        name,
      ]);
    });
  }

  /** As `say`, and waits until all that was told was heard. */
  async function tell(...told: Parameters<typeof say>): Promise<void> {
    await say(...told);
    await eventually(async () => {
      const marks = await floor.api.rows(`SELECT FROM platform.inbox WHERE consumer LIKE 'production.oem.%'`);
      expect(marks).toHaveLength(heard);
    }, 20_000);
  }

  async function created(details: object = {}): Promise<Job> {
    const jobTicketId = randomUUIDv7();
    const facts = { siteId: floor.site.id, graphVersionId: forked.id, qty: 100, dueAt: null, sku: 'TOTE' };
    await tell('oem.ticket-created', { jobTicketId, ...facts, ...details });
    return { id: jobTicketId };
  }

  const becomes = (job: Job, status: string, at?: Date, more: object = {}) =>
    tell('oem.ticket-changed', { jobTicketId: job.id, status, ...more }, at);
  const step = (job: Job, nodeCode: string, status: string, goodQty = 0, at?: Date) =>
    tell('oem.step-changed', { jobTicketId: job.id, nodeCode, status, goodQty, scrapQty: 1 }, at);

  it('are known under the id they were given there, and follow what the stations tell', async () => {
    const job = await created();
    await created({ jobTicketId: job.id, qty: 1 });
    expect(await ticketOf(job)).toMatchObject({
      execution: 'stations',
      line: 'oem',
      processMode: 'batch',
      targetQty: 100,
      status: 'planned',
    });
    await becomes(job, 'in_progress');
    await becomes(job, 'on_hold');
    expect(await ticketOf(job)).toMatchObject({ status: 'in_progress', paused: true });
    await becomes(job, 'in_progress');
    await tell(
      'oem.ticket-changed',
      { jobTicketId: job.id, status: 'on_hold' } as const,
      new Date(Date.now() - 60_000),
    );
    expect(await ticketOf(job)).toMatchObject({ paused: false });
    await step(job, 'CUT', 'completed', 97);
    await step(job, 'CUT', 'in_progress', 3, new Date(Date.now() - 60_000));
    const { nodes } = await progressOf(job);
    expect(nodes[0]).toMatchObject({ nodeCode: 'CUT', state: 'completed', passedQty: 97, scrappedQty: 1 });
    await becomes(job, 'completed');
    expect(await ticketOf(job)).toMatchObject({ status: 'completed' });
    expect(await announced(job)).toEqual(['started: in_progress by stations', 'completed: completed by stations']);
  });

  it('are heard of again when what they follow comes later', async () => {
    const jobTicketId = randomUUIDv7();
    await say('oem.step-changed', { jobTicketId, nodeCode: 'CUT', status: 'completed', goodQty: 5, scrapQty: 0 });
    await eventually(async () => {
      const [first] = await floor.api.rows<{ tried: boolean }>(
        `SELECT published_at IS NOT NULL AS tried FROM platform.outbox WHERE body ->> 'jobTicketId' = $1`,
        [jobTicketId],
      );
      expect(first?.tried).toBe(true);
    }, 10_000);
    await created({ jobTicketId });
    expect((await progressOf({ id: jobTicketId })).nodes[0]).toMatchObject({ nodeCode: 'CUT', passedQty: 5 });
  });

  it('are paused, resumed and cancelled from here too, and what the stations say to that is no news', async () => {
    const job = await created();
    expect(await ask(job, 'pause', because)).toBe('409 job-state');
    await becomes(job, 'in_progress');
    await run(job, 'pause', because);
    await becomes(job, 'on_hold');
    expect(await ask(job, 'close-short', because)).toBe('409 job-state');
    await run(job, 'resume');
    await becomes(job, 'in_progress');
    expect(await ask(job, 'close-short', because)).toBe('409 job-state');
    await run(job, 'cancel', because);
    await becomes(job, 'cancelled');
    expect(await ticketOf(job)).toMatchObject({ status: 'cancelled', cancelReason: because.reason });
    expect(await ask(job, 'restart')).toBe('409 job-runs-at-stations');
    expect(await announced(job)).toEqual([
      'started: in_progress by stations',
      'paused: in_progress by stations',
      'resumed: in_progress by stations',
      'cancelled: cancelled by stations',
    ]);
  });

  it('go on with one batch token at the split whose branches are open, with what was made well before it', async () => {
    const job = await created();
    await becomes(job, 'in_progress');
    await step(job, 'CUT', 'completed', 97);
    expect(await ask(job, 'to-tokens', because)).toBe('200');
    expect(await ticketOf(job)).toMatchObject({ execution: 'tokens', status: 'in_progress' });
    expect(await floor.tokens(job)).toMatchObject([
      { type: 'batch', node: 'SPLIT', qty: 97, status: 'waiting' },
      { type: 'component', node: 'BODY', qty: 97, status: 'ready' },
      { type: 'component', node: 'STRAP', qty: 97, status: 'ready' },
    ]);
    expect((await announced(job)).at(-1)).toBe('handed-over: in_progress by tokens');
    expect(await ask(job, 'to-tokens', because)).toBe('409 job-state');
  });

  it('change nothing by what stations still tell, which is found by supervisors', async () => {
    const job = await created();
    await becomes(job, 'in_progress');
    await run(job, 'to-tokens', { ...because, nodeCode: 'PACK', qty: 40 });
    const findings = () =>
      floor.api.rows(`SELECT kind, detail FROM production.health_finding WHERE subject_id = $1`, [job.id]);
    // Their own ticket ends because of the hand-over: nobody need look after that.
    await becomes(job, 'cancelled', undefined, { reason: 'moved-to-tokens' });
    expect(await findings()).toEqual([]);
    await becomes(job, 'cancelled');
    expect(await findings()).toEqual([
      { kind: 'station-event-ignored', detail: { status: 'cancelled', reason: null } },
    ]);
    await step(job, 'PACK', 'completed', 90);
    expect(await findings()).toEqual([
      { kind: 'station-event-ignored', detail: { nodeCode: 'PACK', status: 'completed' } },
    ]);
    expect(await floor.tokens(job)).toMatchObject([{ node: 'PACK', qty: 40, status: 'ready' }]);
    expect(await ticketOf(job)).toMatchObject({ status: 'in_progress' });
  });

  it('are handed over at a node of theirs where people work, and with something', async () => {
    const job = await created();
    await becomes(job, 'in_progress');
    const refused = async (body: object) => {
      const answer = await floor.keyed().send('POST', `${path}/${job.id}/to-tokens`, { ...because, ...body });
      return problem.parse(answer.json());
    };
    expect(await refused({ nodeCode: 'NOWHERE' })).toMatchObject({ code: 'node-not-found' });
    expect(await refused({ nodeCode: 'JOIN' })).toMatchObject({
      code: 'target-not-allowed',
      allowed: ['CUT', 'SPLIT', 'BODY', 'STRAP', 'PACK'],
    });
    await step(job, 'CUT', 'completed', 0);
    expect(await refused({})).toMatchObject({ code: 'invalid-request', errors: [{ pointer: '#/qty' }] });
    expect(await ask(job, 'to-tokens', { ...because, qty: 3 })).toBe('200');
  });

  it('are handed over all at once; one that cannot be stops no other', async () => {
    const planned = await floor.ticket(graph, { execution: 'stations' });
    const done = await floor.ticket(graph);
    const one = await floor.ticket(graph, { execution: 'stations' });
    const many = (count: number) => ({ ids: Array.from({ length: count }, () => randomUUIDv7()), ...because });
    expect(await outcome(floor.keyed(), 'POST', `${path}/to-tokens`, many(201))).toBe('422 invalid-request');
    expect(await floor.keyed().post(`${path}/to-tokens`, many(200), 200, handedOver)).toMatchObject({
      handedOver: 0,
      total: 200,
    });
    const some = { ids: [planned.id, done.id], ...because };
    expect(await floor.keyed().post(`${path}/to-tokens`, some, 200, handedOver)).toEqual({
      handedOver: 1,
      total: 2,
      remaining: 0,
      errors: [{ id: done.id, code: 'job-state' }],
    });
    expect(await floor.tokens(planned)).toEqual([]);
    expect((await floor.start(planned)).spawned).toBe(true);
    const all = await floor.keyed().post(`${path}/to-tokens`, { ids: 'all', ...because }, 200, handedOver);
    expect(all).toMatchObject({ remaining: 0, errors: [] });
    expect(await ticketOf(one)).toMatchObject({ execution: 'tokens', status: 'planned' });
  });
});

it('whatever is done to jobs, nothing disagrees: tokens and visits are what their events say', async () => {
  const health = floor.api.app.get(HealthService, { strict: false });
  await health.look(Caller.system('test'), { ...invariants, ...nightly }, () => undefined);
  const found = await floor.api.rows(
    `SELECT kind, detail FROM production.health_finding WHERE resolved_at IS NULL AND kind <> 'station-event-ignored'`,
  );
  expect(found).toEqual([]);
  expect(await unexplained(floor.api)).toEqual([]);
});
