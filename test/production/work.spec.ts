import {
  assignedTokens,
  assignmentList,
  assignmentView,
  currentSessions,
  currentWork,
  sessionView,
  workQueue,
  workView,
  type WorkItem,
} from '@belay/production';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Caller } from '@belay/platform';
import { z } from 'zod';
import { SessionUpkeep } from '../../libs/production/src/work/session-upkeep.service.js';
import { outcome } from '../support/people.js';
import { breaches } from './floor-invariants.js';
import { operation, Workshop, type TokenFacts, type Worker } from './workshop.js';

const morning = new Date('2025-11-17T08:00:00Z');
const later = (minutes: number) => new Date(morning.getTime() + minutes * 60_000);
const problemOf = async (shop: Workshop, worker: Worker, path: string, body: object = {}) => {
  const response = await shop.keyed(worker.api).send('POST', `/api/production/${path}`, body);
  return z.looseObject({ code: z.string() }).parse(response.json());
};

describe('work', () => {
  let shop: Workshop;
  let ada: Worker;
  let ben: Worker;
  let boss: Worker;
  let graph: { readonly graphId: string };
  const jobs: string[] = [];

  beforeAll(async () => {
    shop = await Workshop.open();
    [ada, ben] = await Promise.all([shop.worker(), shop.worker()]);
    boss = await shop.worker({ role: 'supervisor' });
    graph = await shop.linear('CUT', 'SEW');
  });
  afterAll(() => shop.close());
  afterEach(async () => {
    shop.now = null;
    expect(await breaches(shop.api, jobs)).toEqual([]);
  });

  const post = (worker: Worker, path: string, body: object = {}) =>
    outcome(shop.keyed(worker.api), 'POST', `/api/production/${path}`, body);
  const act = (worker: Worker, token: TokenFacts, what: 'start' | 'pause' | 'resume', body: object = {}) =>
    shop.keyed(worker.api).post(`/api/production/tokens/${token.id}/${what}`, body, 200, workView);
  const complete = (worker: Worker, token: TokenFacts) =>
    shop.keyed(worker.api).post(`/api/production/tokens/${token.id}/complete`, {}, 200);
  const assign = (tokens: readonly TokenFacts[], target: object, by = boss) =>
    shop
      .keyed(by.api)
      .post('/api/production/assignments', { tokenIds: tokens.map(({ id }) => id), ...target }, 200, assignedTokens);
  const open = async (token: TokenFacts) => {
    const found = `/api/production/assignments?tokenId=${token.id}&status=open`;
    return (await shop.admin.get(found, 200, assignmentList)).items[0];
  };
  const queue = async (worker: Worker) => (await worker.api.get('/api/production/work-queue', 200, workQueue)).items;
  const find = (items: readonly WorkItem[], token: TokenFacts) => items.find(({ tokenId }) => tokenId === token.id);

  /** Tokens of a job of its own, at its first node. */
  const fresh = async (count = 1, details: object = {}): Promise<TokenFacts[]> => {
    const ticket = await shop.ticket(graph, { processMode: 'piece', targetQty: count, ...details });
    jobs.push(ticket.id);
    await shop.start(ticket);
    return shop.tokens(ticket);
  };
  const one = async (details: object = {}): Promise<TokenFacts> => {
    const [token] = await fresh(1, details);
    if (!token) throw new Error('There is no token');
    return token;
  };
  const statusOf = async ({ id }: TokenFacts) =>
    (await shop.api.rows<{ status: string }>('SELECT status FROM production.flow_token WHERE id = $1', [id]))[0]
      ?.status;

  describe('and its time', () => {
    it('is counted to the second, without pauses, and helpers apart', async () => {
      shop.now = morning;
      const token = await one();
      await act(ada, token, 'start');
      shop.now = later(10);
      await act(ben, token, 'start', { mode: 'assist' });
      shop.now = later(25);
      const paused = await act(ada, token, 'pause', { reason: 'needle' });
      expect(paused.session).toMatchObject({ workSeconds: 1_500, pauseSeconds: 0, pauseReason: 'needle' });
      shop.now = later(30);
      await act(ben, token, 'pause');
      shop.now = later(45);
      await act(ada, token, 'resume');
      shop.now = later(60.5);
      await complete(ada, token);

      const [visit] = await shop.api.rows(
        `SELECT work_seconds::float8 AS work, assist_seconds::float8 AS assist, operator_id AS by
         FROM production.token_node_visit WHERE token_id = $1 AND outcome IS NOT NULL ORDER BY left_at DESC LIMIT 1`,
        [token.id],
      );
      expect(visit).toEqual({ work: 2_430, assist: 1_200, by: ada.id });
      const sessions = await shop.api.rows(
        `SELECT work_seconds::float8 + pause_seconds::float8 AS counted, extract(epoch FROM ended_at - started_at)::float8 AS passed
         FROM production.token_work_session WHERE token_id = $1 ORDER BY started_at`,
        [token.id],
      );
      expect(sessions).toEqual([
        { counted: 3_630, passed: 3_630 },
        { counted: 3_030, passed: 3_030 },
      ]);
    });

    it('does not grow when what is paused is completed', async () => {
      shop.now = morning;
      const token = await one();
      await act(ada, token, 'start');
      shop.now = later(5);
      await act(ada, token, 'pause');
      shop.now = later(65);
      await complete(ada, token);
      const [session] = await shop.api.rows(
        `SELECT work_seconds::float8 AS work, pause_seconds::float8 AS pause FROM production.token_work_session WHERE token_id = $1 ORDER BY started_at`,
        [token.id],
      );
      expect(session).toEqual({ work: 300, pause: 3_600 });
    });

    it('is the server’s; whose clock is off is told', async () => {
      shop.now = morning;
      const token = await one();
      const exact = await act(ada, token, 'start', { device: { time: later(5).toISOString() } });
      expect(exact.warnings).toEqual([]);
      const off = await act(ada, token, 'pause', { device: { time: later(5.001).toISOString() } });
      expect(off.warnings).toEqual(['clock-skew']);
      shop.now = later(479.99);
      expect((await act(ada, token, 'resume')).warnings).toEqual([]);
      await act(ada, token, 'pause');
      shop.now = later(959.99);
      expect((await act(ada, token, 'resume')).warnings).toEqual(['long-pause']);
      await act(ada, token, 'pause');
    });
  });

  it('that nothing was heard of for ten minutes should rest', async () => {
    shop.now = morning;
    const token = await one();
    await act(ada, token, 'start');
    const suggests = async () =>
      (await ada.api.get('/api/production/sessions/current', 200, currentSessions)).suggestPause;
    shop.now = later(9.99);
    expect(await suggests()).toBe(false);
    shop.now = later(10);
    expect(await suggests()).toBe(true);
    await act(ada, token, 'pause');
    expect(await suggests()).toBe(false);
  });

  describe('is taken up', () => {
    it('by whoever comes first, who then has it', async () => {
      const token = await one();
      const work = await act(ada, token, 'start');
      expect(work).toMatchObject({
        status: 'active',
        nodeCode: 'CUT',
        session: { helpType: 'own', operatorId: ada.id },
      });
      expect(await open(token)).toMatchObject({
        method: 'MANUAL',
        status: 'started',
        operatorId: ada.id,
        teamId: shop.team.id,
      });
      expect(await problemOf(shop, ben, `tokens/${token.id}/start`)).toMatchObject({
        code: 'not-assignee',
        assignee: { operatorId: ada.id },
        offers: ['assist', 'replace'],
      });
      await complete(ada, token);
    });

    it('one thing at a time', async () => {
      const [first, second] = await fresh(2);
      if (!first || !second) throw new Error('There are two tokens');
      await act(ada, first, 'start');
      expect(await problemOf(shop, ada, `tokens/${second.id}/start`)).toMatchObject({
        code: 'operator-busy',
        tokenId: first.id,
      });
      await act(ada, first, 'pause');
      await act(ada, second, 'start');
      expect(await post(ada, `tokens/${first.id}/resume`)).toBe('409 operator-busy');
      await complete(ada, second);
      await complete(ada, first);
    });

    it('instead of somebody only with a reason, and both are on record', async () => {
      const token = await one();
      await act(ada, token, 'start');
      expect(await post(ben, `tokens/${token.id}/start`, { mode: 'replace' })).toBe('422 invalid-request');
      const work = await act(ben, token, 'start', { mode: 'replace', reason: 'ill' });
      expect(work.session).toMatchObject({ helpType: 'replace', operatorId: ben.id });
      const rows = await shop.api.rows(
        `SELECT operator_id AS by, method, status, cancel_reason AS reason FROM production.token_assignment
         WHERE token_id = $1 ORDER BY id`,
        [token.id],
      );
      expect(rows).toEqual([
        { by: ada.id, method: 'MANUAL', status: 'cancelled', reason: 'ill' },
        { by: ben.id, method: 'REASSIGN', status: 'started', reason: null },
      ]);
      await complete(ben, token);
    });

    it('not while the job is paused, and not when it is held or over', async () => {
      const token = await one();
      const ticket = jobs.at(-1) ?? '';
      await shop.keyed().post(`/api/production/job-tickets/${ticket}/pause`, { reason: 'stocktaking' }, 200);
      expect(await post(ada, `tokens/${token.id}/start`)).toBe('409 job-paused');
      await shop.keyed().post(`/api/production/job-tickets/${ticket}/resume`, {}, 200);
      await shop.keyed(boss.api).post(`/api/production/tokens/${token.id}/hold`, { reason: 'look at it' }, 200);
      expect(await post(ada, `tokens/${token.id}/start`)).toBe('409 token-held');
      await shop.keyed(boss.api).post(`/api/production/tokens/${token.id}/release`, { reason: 'fine' }, 200);
      await shop.keyed().post(`/api/production/job-tickets/${ticket}/cancel`, { reason: 'not wanted' }, 200);
      expect(await post(ada, `tokens/${token.id}/start`)).toBe('409 instance-archived');
    });

    it('with the row as it was seen', async () => {
      const token = await one();
      const item = find(await queue(ada), token);
      expect(await post(ada, `tokens/${token.id}/start`, { rowVersion: (item?.rowVersion ?? 0) + 1 })).toBe(
        '412 precondition-failed',
      );
      expect(await post(ada, `tokens/${token.id}/start`, { rowVersion: item?.rowVersion })).toBe('200');
      await complete(ada, token);
    });

    it('by nobody whose teams have no business there', async () => {
      const cutting = await shop.newTeam({ teamCategory: 'cutting' });
      const cutter = await shop.worker({ team: cutting.id });
      const token = await one();
      expect(await post(cutter, `tokens/${token.id}/start`)).toBe('409 not-assignee');
      expect(find(await queue(cutter), token)).toBeUndefined();
      await assign([token], { operatorId: cutter.id });
      expect(find(await queue(cutter), token)).toMatchObject({ assignment: { method: 'MANUAL' } });
      await act(cutter, token, 'start');
      await complete(cutter, token);
    });
  });

  describe('is given', () => {
    it('to a person or a team, each token for itself', async () => {
      const [first, second] = await fresh(2);
      if (!first || !second) throw new Error('There are two tokens');
      await assign([first], { operatorId: ada.id, note: 'careful', priority: 7 });
      const unknown = '0199a000-0000-7000-8000-000000000000';
      const body = { tokenIds: [first.id, second.id, unknown], teamId: shop.team.id };
      const given = await shop.keyed(boss.api).post('/api/production/assignments', body, 200, assignedTokens);
      expect(given).toMatchObject({ assigned: 1, total: 3 });
      expect(new Map(given.errors.map(({ tokenId, code }) => [tokenId, code]))).toEqual(
        new Map([
          [first.id, 'assignment-state'],
          [unknown, 'token-not-found'],
        ]),
      );
      expect(find(await queue(ada), first)).toMatchObject({
        priority: 7,
        assignment: { note: 'careful', method: 'MANUAL' },
      });
      expect(find(await queue(ben), first)).toBeUndefined();
      expect(find(await queue(ben), second)).toMatchObject({ assignment: { teamId: shop.team.id, operator: null } });
    });

    it('to nobody whom the node forbids, or who makes things another way', async () => {
      const kept = await shop.newTeam();
      const oem = await shop.newTeam({ productionMode: 'oem' });
      const picky = await shop.linear(
        operation('CUT', { forbiddenTeamIds: [kept.id], productionMode: 'atelier' }),
        'SEW',
      );
      const [token] = await shop.pieces(picky, 1);
      if (!token) throw new Error('There is no token');
      expect((await assign([token], { teamId: kept.id })).errors).toMatchObject([{ code: 'team-forbidden' }]);
      expect((await assign([token], { teamId: oem.id })).errors).toMatchObject([{ code: 'mode-mismatch' }]);
      expect((await assign([token], { teamId: shop.team.id })).assigned).toBe(1);
      const body = { tokenIds: [token.id], teamId: shop.site.id };
      expect(await post(boss, 'assignments', body)).toBe('422 invalid-request');
      expect(await post(boss, 'assignments', { ...body, operatorId: ada.id })).toBe('422 invalid-request');
    });

    it('by those who manage, and by leads in their own team', async () => {
      const own = await shop.newTeam({ teamCategory: 'general' });
      const lead = await shop.worker({ team: own.id, part: { role: 'lead' } });
      const member = await shop.worker({ team: own.id });
      const [first, second] = await fresh(2);
      if (!first || !second) throw new Error('There are two tokens');
      expect(await post(ada, 'assignments', { tokenIds: [first.id], operatorId: ada.id })).toBe(
        '403 permission-missing',
      );
      expect(await post(lead, 'assignments', { tokenIds: [first.id], operatorId: ada.id })).toBe(
        '403 permission-missing',
      );
      expect((await assign([first], { operatorId: member.id }, lead)).assigned).toBe(1);
      expect((await assign([second], { teamId: own.id }, lead)).assigned).toBe(1);
    });

    it('and agreed to, refused or taken back', async () => {
      const token = await one();
      await assign([token], { operatorId: ada.id });
      const assignment = await open(token);
      const path = `assignments/${assignment?.id}`;
      expect(await post(ben, `${path}/accept`)).toBe('409 not-assignee');
      expect(await post(ada, `${path}/accept`)).toBe('200');
      expect(await post(ada, `${path}/accept`)).toBe('409 assignment-state');
      expect(await post(ada, `${path}/reject`, { reason: 'too heavy' })).toBe('200');
      expect(await open(token)).toBeUndefined();
      expect(await post(ada, `${path}/reject`, { reason: 'again' })).toBe('409 assignment-state');

      await assign([token], { operatorId: ben.id });
      await act(ben, token, 'start');
      const started = await open(token);
      expect(await post(ben, `assignments/${started?.id}/reject`, { reason: 'no' })).toBe('409 assignment-state');
      expect(await post(ada, `assignments/${started?.id}/cancel`, { reason: 'no' })).toBe('403 permission-missing');
      expect(await post(boss, `assignments/${started?.id}/cancel`, { reason: 'other work' })).toBe('200');
      expect(await statusOf(token)).toBe('ready');
    });

    it('on by a manager: before it has begun, afterwards, or with help', async () => {
      const token = await one();
      await assign([token], { operatorId: ada.id });
      const give = (body: object) => post(boss, `tokens/${token.id}/override`, body);
      expect(await give({ type: 'handoff', operatorId: ben.id, reason: 'x' })).toBe('409 assignment-state');
      expect(await give({ type: 'reassign', operatorId: ben.id })).toBe('200');
      expect(find(await queue(ben), token)).toMatchObject({
        assignment: { method: 'REASSIGN', reassignedFrom: { id: ada.id } },
      });
      await act(ben, token, 'start');
      expect(await give({ type: 'reassign', operatorId: ada.id })).toBe('409 assignment-started');
      expect(await give({ type: 'help', operatorId: ada.id })).toBe('200');
      expect(find(await queue(ben), token)?.helpedBy).toMatchObject([{ id: ada.id }]);
      expect(await give({ type: 'handoff', operatorId: ada.id })).toBe('422 invalid-request');
      expect(await give({ type: 'handoff', operatorId: ada.id, reason: 'shift is over' })).toBe('200');
      expect(await statusOf(token)).toBe('ready');
      await act(ada, token, 'start');
      await complete(ada, token);
    });

    it('to whoever of the team claims it first', async () => {
      const token = await one();
      await assign([token], { teamId: shop.team.id });
      const claim = (worker: Worker) =>
        shop.keyed(worker.api).post(`/api/production/tokens/${token.id}/claim`, {}, 200, assignmentView);
      expect(await claim(ada)).toMatchObject({ operatorId: ada.id, status: 'accepted' });
      expect(await post(ben, `tokens/${token.id}/claim`)).toBe('409 not-assignee');
    });
  });

  describe('is shown', () => {
    it('with what I do first, then by priority, by when it is due, and by who came first', async () => {
      const late = await one({ dueAt: '2031-01-02T00:00:00Z' });
      const soon = await one({ dueAt: '2031-01-01T00:00:00Z' });
      const urgent = await one({ priority: 9 });
      const begun = await one();
      const eve = await shop.worker();
      await act(eve, begun, 'start');
      const shown = (await queue(eve)).map(({ tokenId }) => tokenId);
      const place = (token: TokenFacts) => shown.indexOf(token.id);
      expect(place(begun)).toBe(0);
      expect([place(urgent), place(soon), place(late)]).toEqual(
        [place(urgent), place(soon), place(late)].toSorted((a, b) => a - b),
      );
      expect(place(late)).toBeGreaterThan(0);
      const [first] = await queue(eve);
      expect(first).toMatchObject({
        status: 'active',
        node: { code: 'CUT' },
        permissions: { canStart: false, canPause: true, canComplete: true, canResume: false, canQcPass: false },
      });
      expect(await eve.api.get('/api/production/sessions/current', 200, currentSessions)).toMatchObject({
        active: { tokenId: begun.id },
        paused: [],
      });
      expect(await boss.api.get(`/api/production/operators/${eve.id}/current-work`, 200, currentWork)).toMatchObject({
        status: 'working',
        sessions: [{ tokenId: begun.id }],
      });
      expect(await outcome(ada.api, 'GET', `/api/production/operators/${eve.id}/current-work`)).toBe(
        '403 permission-missing',
      );
    });

    it('page by page, each once', async () => {
      await fresh(7);
      const pages: string[] = [];
      let cursor: string | null = '';
      while (cursor !== null) {
        const path = `/api/production/work-queue?limit=3${cursor && `&cursor=${cursor}`}`;
        const page: { items: WorkItem[]; next: string | null } = await ada.api.get(path, 200, workQueue);
        pages.push(...page.items.map(({ tokenId }) => tokenId));
        cursor = page.next;
      }
      expect(pages).toEqual(
        (await ada.api.get('/api/production/work-queue?limit=200', 200, workQueue)).items.map(({ tokenId }) => tokenId),
      );
      expect(new Set(pages).size).toBe(pages.length);
    });
  });

  it('is told to supervisors when nobody answers, and when it takes too long', async () => {
    shop.now = morning;
    const [given, begun] = await fresh(2);
    if (!given || !begun) throw new Error('There are two tokens');
    await assign([given], { operatorId: ben.id });
    await act(ada, begun, 'start');
    const upkeep = shop.api.app.get(SessionUpkeep, { strict: false });
    const told = async () => {
      await upkeep.run(Caller.system('upkeep'), () => undefined);
      const rows = await shop.api.rows<{ kind: string }>(
        `SELECT DISTINCT kind FROM production.health_finding
         WHERE resolved_at IS NULL AND (subject_id = ANY ($1) OR detail->>'tokenId' = ANY ($1::text[])) ORDER BY 1`,
        [[given.id, begun.id]],
      );
      return rows.map(({ kind }) => kind);
    };
    for (const [minutes, kinds] of [
      [60, []],
      [60.1, ['assignment-unanswered']],
      [120, ['assignment-unanswered']],
      [120.1, ['assignment-unanswered', 'work-silent']],
      [240, ['assignment-unanswered', 'work-silent']],
      [240.1, ['assignment-unanswered', 'work-long', 'work-silent']],
    ] as const) {
      shop.now = later(minutes);
      expect([minutes, await told()]).toEqual([minutes, kinds]);
    }
    await shop.keyed(ben.api).post(`/api/production/assignments/${(await open(given))?.id}/accept`, {}, 200);
    await complete(ada, begun);
    expect(await told()).toEqual([]);
  });

  it('that is left behind is given back after a fortnight, which a supervisor can reverse', async () => {
    shop.now = morning;
    const token = await one();
    const day = 24 * 60;
    const { session } = await act(ada, token, 'start');
    shop.now = later(10);
    await act(ada, token, 'pause');
    const upkeep = shop.api.app.get(SessionUpkeep, { strict: false });
    const look = () => upkeep.run(Caller.system('upkeep'), () => undefined);
    const kinds = async () =>
      (
        await shop.api.rows<{ kind: string }>(
          `SELECT kind FROM production.health_finding WHERE resolved_at IS NULL AND subject_id = $1`,
          [session.id],
        )
      ).map(({ kind }) => kind);
    shop.now = later(10 + 7 * day);
    await look();
    expect(await kinds()).toEqual([]);
    shop.now = later(11 + 7 * day);
    await look();
    expect(await kinds()).toEqual(['pause-long']);
    shop.now = later(11 + 14 * day);
    await look();
    expect(await kinds()).toEqual([]);
    expect(await statusOf(token)).toBe('ready');
    expect(await open(token)).toBeUndefined();

    const correct = (act: string) =>
      shop
        .keyed(boss.api)
        .post(`/api/production/sessions/${session.id}/correct`, { act, reason: 'was on leave' }, 200, sessionView);
    expect(await correct('reopen')).toMatchObject({ status: 'paused', workSeconds: 600 });
    expect(await statusOf(token)).toBe('paused');
    await act(ada, token, 'resume');
    shop.now = later(12 + 14 * day);
    expect(await correct('close')).toMatchObject({ status: 'completed', workSeconds: 660 });
    expect(await statusOf(token)).toBe('ready');
  });
});
