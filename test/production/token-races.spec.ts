import { randomUUIDv7 } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { runView } from '@belay/production';
import pg from 'pg';
import { eventually } from '../support/eventually.js';
import { outcome } from '../support/people.js';
import { allBreaches } from './floor-invariants.js';
import { unexplained } from './history.js';
import { Steps } from './steps.js';
import { end, operation, start, Workshop, type Worker } from './workshop.js';

const node = (code: string, type: string, details: object = {}) => ({ code, name: code, type, ...details });

/** Each row of this list was a way to lose a token or to do its work twice. */
describe('tokens that two want at once', () => {
  let shop: Workshop;
  let steps: Steps;
  let crew: Worker[];
  let boss: Worker;

  beforeAll(async () => {
    shop = await Workshop.open();
    steps = new Steps(shop);
    crew = await shop.workers(4);
    boss = await shop.worker({ role: 'supervisor' });
  });
  afterAll(async () => {
    const jobs = await shop.api.rows<{ id: string }>('SELECT id FROM production.job_ticket');
    expect(
      await allBreaches(
        shop.api,
        jobs.map(({ id }) => id),
      ),
    ).toEqual([]);
    expect(await unexplained(shop.api)).toEqual([]);
    await shop.close();
  });

  const worker = (n: number): Worker => {
    const one = crew[n];
    if (!one) throw new Error('The crew is smaller');
    return one;
  };
  const run = (ticket: { id: string }, what: string, body: object = {}) =>
    outcome(shop.admin, 'POST', `/api/production/job-tickets/${ticket.id}/${what}`, body, {
      'idempotency-key': randomUUIDv7(),
    });
  const parted = () =>
    shop.graph(
      [
        start(),
        node('SPLIT', 'split'),
        operation('BODY'),
        operation('STRAP'),
        node('JOIN', 'join'),
        operation('SEW'),
        end(),
      ],
      [
        ['START', 'SPLIT'],
        ['SPLIT', 'BODY'],
        ['SPLIT', 'STRAP'],
        ['BODY', 'JOIN'],
        ['STRAP', 'JOIN'],
        ['JOIN', 'SEW'],
        ['SEW', 'END'],
      ],
    );
  /** Everybody who does anything with the database waits until the work is done, and then they all go at once. */
  const together = async <Answer>(lock: string, waiting: number, work: () => Promise<Answer>[]): Promise<Answer[]> => {
    const client = new pg.Client({ connectionString: shop.api.config.DATABASE_URL });
    await client.connect();
    try {
      await client.query('BEGIN');
      await client.query(lock);
      const all = work();
      await eventually(async () => {
        const [held] = await shop.api.rows<{ n: number }>(
          `SELECT count(*)::integer AS n FROM pg_locks l JOIN pg_stat_activity a USING (pid)
           WHERE NOT l.granted AND a.datname = current_database()`,
        );
        expect(held?.n).toBeGreaterThanOrEqual(waiting);
      });
      await client.query('COMMIT');
      return await Promise.all(all);
    } finally {
      await client.end();
    }
  };
  const lockJob = ({ id }: { id: string }) => `SELECT FROM production.job_ticket WHERE id = '${id}' FOR UPDATE`;

  it('are started by one of two', async () => {
    for (let round = 0; round < 5; round += 1) {
      const { ticket, token } = await steps.batch(await shop.linear('CUT'));
      const outcomes = await together(lockJob(ticket), 2, () => [
        steps.outcome(worker(0), token, 'start'),
        steps.outcome(worker(1), token, 'start'),
      ]);
      expect(outcomes.toSorted()).toEqual(['200', expect.stringMatching(/^409 (not-assignee|token-state)$/)]);
      const [sessions] = await shop.api.rows(
        `SELECT count(*)::integer AS n FROM production.token_work_session WHERE token_id = $1`,
        [token.id],
      );
      expect(sessions).toEqual({ n: 1 });
      await steps.act(boss, token, 'complete');
    }
  });

  it('are completed once by a double tap, and the second tap gets the same answer', async () => {
    const { ticket, token } = await steps.batch(await shop.linear('CUT', 'SEW'));
    await steps.act(worker(0), token, 'start');
    const headers = { 'idempotency-key': randomUUIDv7() };
    const path = `/api/production/tokens/${token.id}/complete`;
    const tap = () => worker(0).api.send('POST', path, {}, headers);
    const answers = await together(lockJob(ticket), 2, () => [tap(), tap()]);
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 200]);
    expect(answers[0]?.body).toBe(answers[1]?.body);
    expect(answers.filter((answer) => answer.headers['idempotency-replayed'] === 'true')).toHaveLength(1);
    expect(await steps.at(ticket)).toEqual(['SEW ready']);
  });

  it('are completed once when the taps know nothing of each other', async () => {
    const { ticket, token } = await steps.batch(await shop.linear('CUT', 'SEW'));
    await steps.act(worker(0), token, 'start');
    const outcomes = await together(lockJob(ticket), 2, () => [
      steps.outcome(worker(0), token, 'complete'),
      steps.outcome(worker(0), token, 'complete'),
    ]);
    expect(outcomes.toSorted()).toEqual(['200', '409 token-state']);
    expect((await steps.history(token)).filter((type) => type === 'NODE_COMPLETE')).toHaveLength(1);
  });

  it('come together once when the last two parts arrive at the same moment', async () => {
    const graph = await parted();
    for (let round = 0; round < 10; round += 1) {
      const { ticket, token } = await steps.piece(graph);
      const [body, strap] = [await steps.tokenAt(ticket, 'BODY'), await steps.tokenAt(ticket, 'STRAP')];
      await steps.act(worker(0), body, 'start');
      await steps.act(worker(1), strap, 'start');
      await Promise.all([steps.act(worker(0), body, 'complete'), steps.act(worker(1), strap, 'complete')]);
      expect(await steps.at(ticket)).toEqual(['SEW ready']);
      expect((await steps.history(token)).filter((type) => type === 'TOKEN_MERGE')).toHaveLength(1);
      expect((await steps.history(token)).filter((type) => type === 'NODE_ENTER')).toHaveLength(4);
    }
  });

  it('are merged under the lock of their group alone, whoever holds the job', async () => {
    const { ticket } = await steps.piece(await parted());
    const body = await steps.tokenAt(ticket, 'BODY');
    await steps.act(worker(0), body, 'start');
    const lock = `SELECT FROM production.token_parallel_group WHERE parent_token_id = (
                    SELECT parent_token_id FROM production.flow_token WHERE id = '${body.id}') FOR UPDATE`;
    const [outcomeOfBody] = await together(lock, 1, () => [steps.outcome(worker(0), body, 'complete')]);
    expect(outcomeOfBody).toBe('200');
  });

  it('are made once by two starts of a job', async () => {
    for (let round = 0; round < 5; round += 1) {
      const ticket = await shop.ticket(await shop.linear('CUT'), { processMode: 'piece', targetQty: 20 });
      const path = `/api/production/job-tickets/${ticket.id}/start`;
      const answers = await together(lockJob(ticket), 2, () =>
        [0, 1].map(() => shop.keyed().post(path, {}, 200, runView)),
      );
      expect(answers.map(({ spawned, tokens }) => [spawned, tokens]).toSorted()).toEqual([
        [false, 20],
        [true, 20],
      ]);
      expect(await shop.tokens(ticket)).toHaveLength(20);
    }
  });

  it('are not made before the job is started, and a start that dies half-way leaves nothing', async () => {
    const ticket = await shop.ticket(await shop.linear('CUT'), { processMode: 'piece', targetQty: 50 });
    const client = new pg.Client({ connectionString: shop.api.config.DATABASE_URL });
    await client.connect();
    // The start waits for its first visit to be written, and then loses its connection.
    await client.query('BEGIN');
    await client.query('LOCK TABLE production.token_node_visit IN ACCESS EXCLUSIVE MODE');
    const dying = run(ticket, 'start');
    await eventually(async () => {
      const killed = await client.query(
        `SELECT pg_terminate_backend(l.pid) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
         WHERE NOT l.granted AND a.datname = current_database()`,
      );
      expect(killed.rowCount).toBe(1);
    });
    expect(await dying).toMatch(/^50\d /);
    await client.query('ROLLBACK');
    await client.end();
    expect(await shop.tokens(ticket)).toEqual([]);
    expect(await steps.jobStatus(ticket)).toBe('planned');
    expect(await run(ticket, 'start')).toBe('200');
    expect(await shop.tokens(ticket)).toHaveLength(50);
  });

  it('are all there after two spawns of fifty at one node', async () => {
    const graph = await shop.linear(operation('CUT', { wipLimit: 60 }));
    const tickets = await Promise.all([1, 2].map(() => shop.ticket(graph, { processMode: 'piece', targetQty: 50 })));
    await Promise.all(tickets.map((ticket) => shop.start(ticket)));
    const tokens = (await Promise.all(tickets.map((ticket) => shop.tokens(ticket)))).flat();
    expect(tokens).toHaveLength(100);
    expect(tokens.filter(({ status }) => status === 'ready')).toHaveLength(60);
    expect(tokens.filter(({ queueReason }) => queueReason === 'WIP_LIMIT')).toHaveLength(40);
  });

  it('are either completed or cancelled with their job, never both', async () => {
    const graph = await shop.linear('CUT', 'SEW');
    for (let round = 0; round < 8; round += 1) {
      const { ticket, token } = await steps.batch(graph);
      await steps.act(worker(0), token, 'start');
      const both = [
        () => steps.outcome(worker(0), token, 'complete'),
        () => run(ticket, 'cancel', { reason: 'Not wanted' }),
      ];
      if (round % 2 === 1) both.reverse();
      const answers = await Promise.all(both.map((one) => one()));
      const [completed = '', cancelled] = round % 2 === 1 ? answers.toReversed() : answers;
      expect(cancelled).toBe('200');
      expect(['200', '409 instance-archived']).toContain(completed);
      expect((await shop.tokens(ticket)).map(({ status }) => status)).toEqual(['scrapped']);
    }
  });

  it('are not completed any more when the job was cancelled first', async () => {
    const { ticket, token } = await steps.batch(await shop.linear('CUT'));
    await steps.act(worker(0), token, 'start');
    expect(await run(ticket, 'cancel', { reason: 'Not wanted' })).toBe('200');
    expect(await steps.outcome(worker(0), token, 'complete')).toBe('409 instance-archived');
  });

  it('are replaced once, however many ask', async () => {
    const { ticket, token } = await steps.piece(await shop.linear('CUT'));
    await steps.act(boss, token, 'scrap', { note: 'Torn' });
    const outcomes = await together(lockJob(ticket), 3, () =>
      [0, 1, 2].map(() => steps.outcome(boss, token, 'replacement', { reason: 'Again' })),
    );
    expect(outcomes.toSorted()).toEqual(['200', '409 token-state', '409 token-state']);
    expect(await steps.at(ticket)).toEqual(['CUT ready']);
  });

  it('end their job when the last two end at the same moment', async () => {
    const graph = await shop.linear('CUT');
    for (let round = 0; round < 5; round += 1) {
      const { ticket, tokens } = await steps.job(graph, { processMode: 'piece', targetQty: 3 });
      await Promise.all(tokens.map((token, n) => steps.act(worker(n), token, 'start')));
      await Promise.all(tokens.map((token, n) => steps.act(worker(n), token, 'complete')));
      expect(await steps.jobStatus(ticket)).toBe('completed');
    }
  });
});
