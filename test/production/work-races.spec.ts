import { assignmentList, workView } from '@belay/production';
import { Caller } from '@belay/platform';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Absence } from '../../libs/production/src/work/absence.service.js';
import { AssignmentPolicies } from '../../libs/production/src/work/assignment-policies.service.js';
import { WakeUp } from '../../libs/production/src/work/wake-up.service.js';
import { outcome } from '../support/people.js';
import { breaches } from './floor-invariants.js';
import { nobody, toOperator, WorkPolicy } from './work-policy.js';
import { operation, Workshop, type TokenFacts, type Worker } from './workshop.js';

const system = Caller.system('races');
const ROUNDS = 3;

describe('races about work', () => {
  let shop: Workshop;
  let crew: Worker[];
  let boss: Worker;
  const jobs: string[] = [];

  beforeAll(async () => {
    shop = await Workshop.open();
    crew = await shop.workers(8);
    boss = await shop.worker({ role: 'supervisor' });
  });
  afterAll(() => shop.close());
  afterEach(async () => {
    expect(await breaches(shop.api, jobs)).toEqual([]);
    for (const job of jobs.splice(0)) {
      await shop.keyed().send('POST', `/api/production/job-tickets/${job}/cancel`, { reason: 'the race is over' });
    }
  });

  const run = async (graph: { readonly graphId: string }, count: number, details: object = {}) => {
    const ticket = await shop.ticket(graph, { processMode: 'piece', targetQty: count, ...details });
    jobs.push(ticket.id);
    await shop.start(ticket);
    return { ticket, tokens: await shop.tokens(ticket) };
  };
  const one = async (graph: { readonly graphId: string }): Promise<TokenFacts> => {
    const [token] = (await run(graph, 1)).tokens;
    if (!token) throw new Error('There is a token');
    return token;
  };
  const post = (worker: Worker | undefined, path: string, body: object = {}) =>
    outcome(shop.keyed(worker?.api ?? shop.admin), 'POST', `/api/production/${path}`, body);
  const start = (worker: Worker | undefined, token: TokenFacts | undefined, body: object = {}) =>
    post(worker, `tokens/${token?.id}/start`, body);
  const tally = (outcomes: readonly string[]) =>
    Object.fromEntries(
      [...new Set(outcomes)].toSorted().map((name) => [name, outcomes.filter((one) => one === name).length]),
    );
  const rounds = async (race: () => Promise<void>) => {
    for (let n = 0; n < ROUNDS; n += 1) await race();
  };
  const count = async (sql: string, values: readonly unknown[]) =>
    (await shop.api.rows<{ n: number }>(`SELECT count(*)::integer AS n ${sql}`, values))[0]?.n;

  it('two start one token: one of them does', () =>
    rounds(async () => {
      const token = await one(await shop.linear('CUT'));
      const outcomes = await Promise.all(crew.map((worker) => start(worker, token)));
      expect(tally(outcomes)).toEqual({ '200': 1, '409 not-assignee': crew.length - 1 });
      expect(await count('FROM production.token_work_session WHERE token_id = $1', [token.id])).toBe(1);
      await shop.keyed(boss.api).post(`/api/production/tokens/${token.id}/complete`, {}, 200);
    }));

  it('one person starts on two devices: one of them runs', () =>
    rounds(async () => {
      const { tokens } = await run(await shop.linear('CUT'), 4);
      const [ada] = crew;
      const outcomes = await Promise.all(tokens.map((token) => start(ada, token)));
      expect(tally(outcomes)).toEqual({ '200': 1, '409 operator-busy': 3 });
      const open = `FROM production.token_assignment WHERE operator_id = $1 AND status = 'started'`;
      expect(await count(open, [ada?.id])).toBe(1);
      const works = tokens[outcomes.indexOf('200')];
      expect(await post(ada, `tokens/${works?.id}/complete`)).toBe('200');
    }));

  it('the same request twice works once', () =>
    rounds(async () => {
      const token = await one(await shop.linear('CUT'));
      const device = shop.keyed(crew[0]?.api);
      const answers = await Promise.all(
        [1, 2, 3].map(() => device.send('POST', `/api/production/tokens/${token.id}/start`, {})),
      );
      expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 200, 200]);
      const sessions = answers.map((answer) => workView.parse(answer.json()).session.id);
      expect(new Set(sessions).size).toBe(1);
      await shop.keyed(crew[0]?.api).post(`/api/production/tokens/${token.id}/complete`, {}, 200);
    }));

  it('as many as may start at once, and no more', () =>
    rounds(async () => {
      const graph = await shop.linear(operation('CUT', { concurrencyLimit: 3 }), 'SEW');
      const { tokens } = await run(graph, crew.length);
      const outcomes = await Promise.all(crew.map((worker, n) => start(worker, tokens[n])));
      expect(tally(outcomes)).toEqual({ '200': 3, '409 concurrency-full': crew.length - 3 });
      await Promise.all(crew.map((worker, n) => post(worker, `tokens/${tokens[n]?.id}/complete`)));
    }));

  it('who pauses loses the place to whoever takes it', () =>
    rounds(async () => {
      const graph = await shop.linear(operation('CUT', { concurrencyLimit: 1 }));
      const { tokens } = await run(graph, 2);
      const [ada, ben] = crew;
      expect(await start(ada, tokens[0])).toBe('200');
      expect(await post(ada, `tokens/${tokens[0]?.id}/pause`)).toBe('200');
      const outcomes = await Promise.all([post(ada, `tokens/${tokens[0]?.id}/resume`), start(ben, tokens[1])]);
      expect(outcomes.toSorted()).toEqual(['200', '409 concurrency-full']);
      const loser =
        outcomes[0] === '200'
          ? { worker: ben, path: 'start', token: tokens[1] }
          : { worker: ada, path: 'resume', token: tokens[0] };
      const refused = await shop
        .keyed(loser.worker?.api)
        .send('POST', `/api/production/tokens/${loser.token?.id}/${loser.path}`, {});
      expect(refused.json()).toMatchObject({ limit: 1, current: 1, position: 1 });
      const [winner, won] = outcomes[0] === '200' ? [ada, tokens[0]] : [ben, tokens[1]];
      expect(await post(winner, `tokens/${won?.id}/complete`)).toBe('200');
    }));

  it('a last place goes to who waits or to who arrives, never to both', () =>
    rounds(async () => {
      const graph = await shop.linear('CUT', operation('SEW', { wipLimit: 1 }));
      const { ticket, tokens } = await run(graph, 3);
      const [ada, ben] = crew;
      for (const token of tokens.slice(0, 2)) {
        await start(ada, token);
        await post(ada, `tokens/${token.id}/complete`);
      }
      await start(ben, tokens[2]);
      await start(ada, tokens[0]);
      await post(ada, `tokens/${tokens[0]?.id}/complete`);
      const service = shop.api.app.get(WakeUp, { strict: false });
      const scope = { kind: 'node', graphId: graph.graphId, nodeCode: 'SEW', instanceId: null } as const;
      await Promise.all([
        service.admit(system, scope),
        service.admit(system, scope),
        post(ben, `tokens/${tokens[2]?.id}/complete`),
      ]);
      const sewing = (await shop.tokens(ticket)).filter(({ node }) => node === 'SEW').map(({ status }) => status);
      expect(sewing.toSorted()).toEqual(['ready', 'waiting']);
      const woken = `FROM production.token_event WHERE token_id = ANY ($1) AND type = 'WOKEN'`;
      expect(await count(woken, [tokens.map(({ id }) => id)])).toBe(1);
    }));

  it('a hundred that come at once share ten places, and each place is taken once', async () => {
    const graph = await shop.linear(operation('CUT', { wipLimit: 10 }));
    const tickets = await Promise.all([1, 2].map(() => shop.ticket(graph, { processMode: 'piece', targetQty: 50 })));
    jobs.push(...tickets.map(({ id }) => id));
    await Promise.all(tickets.map((ticket) => shop.start(ticket)));
    const tokens = (await Promise.all(tickets.map((ticket) => shop.tokens(ticket)))).flat();
    expect(tally(tokens.map(({ status }) => status))).toEqual({ ready: 10, waiting: 90 });
  });

  it('first come, first served: one claims what the team has', () =>
    rounds(async () => {
      const token = await one(await shop.linear('CUT'));
      await shop
        .keyed(boss.api)
        .post('/api/production/assignments', { tokenIds: [token.id], teamId: shop.team.id }, 200);
      const outcomes = await Promise.all(crew.map((worker) => post(worker, `tokens/${token.id}/claim`)));
      expect(tally(outcomes)).toEqual({ '200': 1, '409 not-assignee': crew.length - 1 });
    }));

  it('two managers give one token away: one assignment is open', () =>
    rounds(async () => {
      const token = await one(await shop.linear('CUT'));
      const give = (worker: Worker | undefined) =>
        post(boss, 'assignments', { tokenIds: [token.id], operatorId: worker?.id });
      expect(tally(await Promise.all(crew.slice(0, 4).map(give)))).toEqual({ '200': 4 });
      const found = `/api/production/assignments?tokenId=${token.id}`;
      expect((await shop.admin.get(found, 200, assignmentList)).items).toHaveLength(1);
    }));

  it('a policy never decides over a person’s choice', () =>
    rounds(async () => {
      const policy = new WorkPolicy();
      const leave = shop.api.app.get(AssignmentPolicies, { strict: false }).use(policy);
      try {
        const { ticket, tokens } = await run(await shop.linear('CUT'), 1);
        const [token] = tokens;
        policy.answer = () => toOperator(crew[1]?.id ?? '');
        const absence = shop.api.app.get(Absence, { strict: false });
        const [given] = await Promise.all([
          shop
            .keyed(boss.api)
            .send('POST', '/api/production/assignments', { tokenIds: [token?.id], operatorId: crew[0]?.id }),
          absence.replan(system, { jobTicketId: ticket.id }, false, () => undefined),
        ]);
        const found = `/api/production/assignments?tokenId=${token?.id}`;
        const { items } = await shop.admin.get(found, 200, assignmentList);
        expect(items).toHaveLength(1);
        const byHand = items[0]?.method === 'MANUAL';
        expect(given.json()).toMatchObject(
          byHand ? { assigned: 1 } : { assigned: 0, errors: [{ code: 'assignment-state' }] },
        );
      } finally {
        leave();
      }
    }));

  it('who goes on leave while they start works not or pauses', () =>
    rounds(async () => {
      const policy = new WorkPolicy();
      const leave = shop.api.app.get(AssignmentPolicies, { strict: false }).use(policy);
      try {
        const { ticket, tokens } = await run(await shop.linear('CUT'), 1);
        const [ada] = crew;
        let away = false;
        policy.verdict = () =>
          away
            ? { allowed: false, because: 'operator-unavailable', reason: 'leave', until: null, confirmable: false }
            : { allowed: true, warnings: [] };
        const starting = start(ada, tokens[0]);
        away = true;
        const eventId = String(Date.now());
        const absence = shop.api.app.get(Absence, { strict: false });
        const [outcomeOfStart] = await Promise.all([
          starting,
          starting.then(() =>
            absence.leave(system, ada?.id ?? '', {
              how: 'away',
              reason: 'leave',
              until: null,
              eventId,
              checkpoint: () => undefined,
            }),
          ),
        ]);
        const [after] = await shop.tokens(ticket);
        expect([outcomeOfStart, after?.status]).toEqual(
          outcomeOfStart === '200' ? ['200', 'paused'] : ['409 operator-unavailable', 'ready'],
        );
      } finally {
        leave();
      }
    }));

  it('a module that is switched off during a spawn is asked for all of it or for none', async () => {
    const policy = new WorkPolicy();
    const leave = shop.api.app.get(AssignmentPolicies, { strict: false }).use(policy);
    try {
      policy.answer = () => toOperator(crew[0]?.id ?? '');
      policy.before = () => {
        policy.isOn = false;
        return Promise.resolve();
      };
      const { tokens } = await run(await shop.linear('CUT'), 5);
      const found = `FROM production.token_assignment WHERE token_id = ANY ($1) AND method = 'AUTO'`;
      expect(await count(found, [tokens.map(({ id }) => id)])).toBe(5);
      expect(policy.told.flatMap(({ facts }) => facts)).toHaveLength(5);
      policy.answer = () => nobody;
      await run(await shop.linear('CUT'), 5);
      expect(policy.told.flatMap(({ facts }) => facts)).toHaveLength(5);
    } finally {
      leave();
    }
  });
});
