import { logEntry, type LogEntry } from '@belay/assignment';
import { Caller, listOf } from '@belay/platform';
import { workCenterView, workQueue } from '@belay/production';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { replayed } from '../../libs/assignment/src/resolver/replay.rules.js';
import { WakeUp } from '../../libs/production/src/work/wake-up.service.js';
import { eventually } from '../support/eventually.js';
import { fresh, outcome } from '../support/people.js';
import { Steps } from '../production/steps.js';
import { end, operation, start as begin, Workshop, type TokenFacts, type Worker } from '../production/workshop.js';
import { openWorkshop } from './decision-room.js';

/** 18:00, the evening before; its site is in London. */
const evening = new Date('2025-11-19T18:00:00Z');
const morning = new Date('2025-11-20T08:00:00Z');

describe('on the floor', () => {
  let shop: Workshop;
  let steps: Steps;
  beforeAll(async () => {
    shop = await openWorkshop();
    steps = new Steps(shop);
  });
  afterAll(() => shop.close());
  afterEach(() => {
    shop.now = null;
  });

  /** People of a plant of their own. */
  const plant = async (count: number, team: object = {}) => {
    const own = await Workshop.in(shop.api);
    const { id } = await own.newTeam({ teamCategory: 'sewing', ...team });
    const people: Worker[] = [];
    for (let n = 0; n < count; n += 1) people.push(await own.worker({ team: id }));
    return { own, team: id, people };
  };
  const sewing = (details: object = {}) =>
    operation('SEW', { teamCategory: 'sewing', estimatedMinutes: 30, ...details });
  const holders = async (tokens: readonly TokenFacts[]) =>
    shop.api.rows<{ operator: string | null; method: string; reason: string }>(
      `SELECT a.operator_id AS operator, a.method, a.reason_code AS reason
       FROM unnest($1::uuid[]) WITH ORDINALITY AS t (id, n)
       LEFT JOIN production.token_assignment a ON a.token_id = t.id AND a.status IN ('assigned', 'accepted', 'started', 'paused')
       ORDER BY t.n`,
      [tokens.map(({ id }) => id)],
    );
  const logOf = async (token: TokenFacts | undefined): Promise<LogEntry[]> =>
    (await shop.admin.get(`/api/assignment/log?tokenId=${token?.id ?? ''}`, 200, listOf(logEntry))).items.toReversed();
  const plan = (own: Workshop, body: object) => own.keyed().post('/api/assignment/plans', body, 201);
  const operator = (worker: Worker | undefined) => ({ type: 'operator', id: worker?.id ?? '' });
  const sweep = async () => {
    const wakeUp = shop.api.app.get(WakeUp, { strict: false });
    for (const scope of await wakeUp.scopes()) await wakeUp.admit(Caller.system('sweep'), scope);
  };
  const leave = (worker: Worker | undefined, until: Date) =>
    shop.api.rows(
      `INSERT INTO assignment.leave_request (id, operator_id, leave_type, period, status, approved_by, created_by)
       VALUES (gen_random_uuid(), $1, 'vacation', tstzrange($2, $3), 'approved', $1, $1)`,
      [worker?.id, new Date(evening.getTime() - 3_600_000), until],
    );

  it('1: a token that is pinned on somebody on leave waits until they are back, says how long, and is theirs then', async () => {
    const { own, people } = await plant(2);
    const [seven, other] = people;
    const graph = await own.linear(sewing(), operation('PACK', { teamCategory: 'sewing', estimatedMinutes: 30 }));
    await plan(own, { graphId: graph.graphId, nodeCode: 'SEW', assignee: operator(other) });
    shop.now = evening;
    const [token] = await own.pieces(graph, 1);
    const pin = { scope: 'token', tokenId: token?.id, nodeCode: 'PACK', assignee: operator(seven) };
    await shop.admin.put('/api/assignment/pins', pin);
    await leave(seven, morning);
    if (!other) throw new Error('There are two people');
    expect(await steps.work(other, token)).toMatchObject({
      status: 'waiting',
      nodeCode: 'PACK',
      queueReason: 'OPERATOR_UNAVAILABLE',
    });
    // The pin was set by hand, at the time of the database.
    const decisions = async () => (await logOf(token)).filter(({ event }) => event !== 'pin_set');
    expect((await decisions()).at(-1)).toMatchObject({
      event: 'queued',
      method: 'PIN',
      tier: 'token',
      reasonCode: 'PIN_TOKEN',
      queueReason: 'OPERATOR_UNAVAILABLE',
      queuePosition: 1,
      // Fourteen hours, and the half hour that the work takes.
      estimatedWaitMinutes: 14 * 60 + 30,
    });
    shop.now = new Date(morning.getTime() - 1);
    await sweep();
    expect(await holders(token ? [token] : [])).toMatchObject([{ operator: null }]);
    shop.now = morning;
    await sweep();
    expect(await holders(token ? [token] : [])).toEqual([{ operator: seven?.id, method: 'PIN', reason: 'PIN_TOKEN' }]);
    expect((await decisions()).at(-1)).toMatchObject({ event: 'woken', method: 'PIN', operatorId: seven?.id });
  });

  it('4: two jobs that start at once level what people have', async () => {
    const { own, people } = await plant(3);
    const graph = await own.linear(sewing());
    const tokens = (await Promise.all([own.pieces(graph, 5), own.pieces(graph, 5)])).flat();
    const got = await holders(tokens);
    const counts = people.map(({ id }) => got.filter((one) => one.operator === id).length);
    expect(counts.toSorted()).toEqual([3, 3, 4]);
  });

  it('6: where the only team is forbidden nobody is chosen, and managers see it', async () => {
    const { own, team } = await plant(1);
    const graph = await own.linear(sewing({ forbiddenTeamIds: [team] }));
    const [token] = await own.pieces(graph, 1);
    expect(token).toMatchObject({ status: 'waiting', queueReason: 'NO_MATCH' });
    const [entry] = await logOf(token);
    expect(entry).toMatchObject({
      event: 'queued',
      method: 'AUTO',
      queueReason: 'NO_MATCH',
      estimatedWaitMinutes: null,
    });
    expect(entry?.reason['alternatives']).toEqual([]);
  });

  it('8: what the only one has rejected is left to people, and never goes back to them on this visit', async () => {
    const { own, people } = await plant(1);
    const [only] = people;
    const tokens = await own.pieces(await own.linear(sewing()), 1);
    const [mine] = await shop.api.rows<{ id: string }>(
      `SELECT id FROM production.token_assignment WHERE token_id = $1`,
      [tokens[0]?.id],
    );
    const path = `/api/production/assignments/${mine?.id ?? ''}/reject`;
    expect(await outcome(own.keyed(only?.api), 'POST', path, { reason: 'too heavy' })).toBe('200');
    await sweep();
    expect(await holders(tokens)).toMatchObject([{ operator: null }]);
    const entries = await logOf(tokens[0]);
    expect(entries.map(({ event }) => event)).toEqual(['assigned', 'rejected', 'unassigned']);
    expect(entries.at(-1)).toMatchObject({ method: 'AUTO', reasonCode: 'NO_MATCH' });
  });

  it('9: a token that moves on is decided anew, and the log shows both', async () => {
    const { own, people } = await plant(2);
    const [a, b] = people;
    const graph = await own.linear(sewing(), operation('PACK', { teamCategory: 'sewing' }));
    await plan(own, { graphId: graph.graphId, nodeCode: 'SEW', assignee: operator(a) });
    await plan(own, { graphId: graph.graphId, nodeCode: 'PACK', assignee: operator(b) });
    const tokens = await own.pieces(graph, 1);
    if (!a) throw new Error('There are two people');
    await steps.work(a, tokens[0]);
    expect(await holders(tokens)).toMatchObject([{ operator: b?.id, method: 'PLAN' }]);
    expect((await logOf(tokens[0])).map(({ event, operatorId, tier }) => [event, operatorId, tier])).toEqual([
      ['assigned', a.id, 'node'],
      ['assigned', b?.id, 'node'],
    ]);
  });

  it('11: what was planned before the job began is in the queue of whom it was planned for', async () => {
    const { own, people } = await plant(3);
    const target = people[2];
    const graph = await own.linear(sewing());
    const ticket = await own.ticket(graph, { processMode: 'piece', targetQty: 2 });
    await plan(own, { jobTicketId: ticket.id, nodeCode: 'SEW', assignee: operator(target) });
    await own.start(ticket);
    const { items } = (await target?.api.get('/api/production/work-queue', 200, workQueue)) ?? { items: [] };
    expect(items.map(({ assignment }) => [assignment?.method, assignment?.reasonCode])).toEqual([
      ['PLAN', 'PLAN_JOB_NODE'],
      ['PLAN', 'PLAN_JOB_NODE'],
    ]);
  });

  it('a team that pulls has the work without anybody, until one of it claims it', async () => {
    const { own, people } = await plant(2, { dispatchMode: 'TEAM_PULL' });
    const tokens = await own.pieces(await own.linear(sewing()), 1);
    expect(await holders(tokens)).toEqual([{ operator: null, method: 'AUTO', reason: 'AUTO_ROUND_ROBIN' }]);
    expect(await outcome(own.keyed(people[1]?.api), 'POST', `/api/production/tokens/${tokens[0]?.id}/claim`, {})).toBe(
      '200',
    );
    expect(await holders(tokens)).toMatchObject([{ operator: people[1]?.id }]);
  });

  it('a resolver that fails stops no job: its tokens are there, nobody’s, and can be claimed', async () => {
    const { own, people } = await plant(1);
    const graph = await own.linear(sewing());
    const rename = (from: string, to: string) => shop.api.rows(`ALTER TABLE assignment.${from} RENAME TO ${to}`);
    await rename('round_robin', 'round_robin__away');
    let tokens: TokenFacts[];
    try {
      tokens = await own.pieces(graph, 2);
    } finally {
      await rename('round_robin__away', 'round_robin');
    }
    expect(tokens.map(({ status }) => status)).toEqual(['ready', 'ready']);
    expect(await steps.history(tokens[0])).toContain('RESOLVER_ERROR');
    expect(await logOf(tokens[0])).toMatchObject([{ event: 'resolver_error', method: 'MANUAL', reasonCode: 'ERROR' }]);
    expect(await outcome(own.keyed(people[0]?.api), 'POST', `/api/production/tokens/${tokens[0]?.id}/claim`, {})).toBe(
      '200',
    );
  });

  it('jobs that come to the same places in opposite order choose people beside each other', async () => {
    const { own } = await plant(2);
    const centers = [];
    for (const code of ['CUTTER', 'PRESS']) {
      const draft = { siteId: own.site.id, code: fresh(code), name: code };
      centers.push((await own.keyed().post('/api/production/work-centers', draft, 201, workCenterView)).id);
    }
    const forked = (places: readonly string[]) => {
      const [first, second] = places.map((workCenterId, n) => sewing({ code: `AT${n}`, name: 'At', workCenterId }));
      const nodes = [
        begin(),
        { code: 'FORK', name: 'Fork', type: 'split' },
        first ?? {},
        second ?? {},
        end(),
        end('OTHER'),
      ];
      return own.graph(nodes, [
        ['START', 'FORK'],
        ['FORK', 'AT0'],
        ['FORK', 'AT1'],
        ['AT0', 'END'],
        ['AT1', 'OTHER'],
      ]);
    };
    const graphs = [await forked(centers), await forked(centers.toReversed())];
    const jobs = await Promise.all(graphs.map((graph) => own.ticket(graph)));
    // Both come to their first place while somebody is choosing at each, and go on together.
    const client = new pg.Client({ connectionString: shop.api.config.DATABASE_URL });
    await client.connect();
    await client.query('BEGIN');
    await client.query(
      `SELECT pg_advisory_xact_lock(hashtextextended('assignment.balance work-center/' || id, 0)) FROM unnest($1::text[]) AS id`,
      [centers],
    );
    const started = jobs.map((job) => own.start(job));
    await eventually(async () => {
      const waiting = await shop.api.rows(`SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`);
      expect(waiting).toHaveLength(2);
    });
    await client.end();
    await Promise.all(started);
    const failures = `SELECT FROM production.token_event WHERE type = 'RESOLVER_ERROR' AND node_id = ANY (
                        SELECT id FROM production.routing_node WHERE work_center_id = ANY ($1))`;
    expect(await shop.api.rows(failures, [centers])).toEqual([]);
  });

  it('a log entry that cannot be written takes back what it would tell of', async () => {
    const { own } = await plant(1);
    const ticket = await own.ticket(await own.linear(sewing()), { processMode: 'piece', targetQty: 1 });
    const check = 'ALTER TABLE assignment.assignment_log';
    await shop.api.rows(`${check} ADD CONSTRAINT broken CHECK (false) NOT VALID`);
    try {
      const started = await own.keyed().send('POST', `/api/production/job-tickets/${ticket.id}/start`, {});
      expect(started.statusCode).toBe(500);
    } finally {
      await shop.api.rows(`${check} DROP CONSTRAINT broken`);
    }
    expect(await own.tokens(ticket)).toEqual([]);
    await own.start(ticket);
    expect(await holders(await own.tokens(ticket))).toMatchObject([{ method: 'AUTO' }]);
  });

  it('every entry leads to the same person when it is made again', async () => {
    const { items } = await shop.admin.get('/api/assignment/log?event=assigned&limit=100', 200, listOf(logEntry));
    const decided = items.filter(({ tier, operatorId }) => tier !== 'manual' && operatorId !== null);
    expect(decided.length).toBeGreaterThan(10);
    for (const { reason, operatorId } of decided) expect(replayed(reason['trace'])?.operatorId).toBe(operatorId);
  });
});
