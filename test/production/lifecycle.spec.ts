import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Caller } from '@belay/platform';
import { tokenView } from '@belay/production';
import { Overdue } from '../../libs/production/src/lifecycle/overdue.service.js';
import { z } from 'zod';
import { allBreaches } from './floor-invariants.js';
import { unexplained } from './history.js';
import { Steps } from './steps.js';
import { end, operation, start, Workshop, type Edge, type Worker } from './workshop.js';

type Part = Readonly<Record<string, unknown>>;

const page = z.object({
  items: z.array(
    z.looseObject({
      id: z.string(),
      type: z.string().optional(),
      nodeCode: z.string().nullish(),
      outcome: z.string().nullish(),
    }),
  ),
  next: z.string().nullish(),
});

const node = (code: string, type: string, details: Part = {}) => ({ code, name: code, type, ...details });
const when = (field: string, op: string, value: unknown, more: Part = {}): Part => ({
  type: 'conditional',
  condition: { groups: [[{ type: 'token_property', field, op, value }]] },
  ...more,
});

describe('the life of tokens', () => {
  let shop: Workshop;
  let steps: Steps;
  let ada: Worker;
  let boss: Worker;

  beforeAll(async () => {
    shop = await Workshop.open();
    steps = new Steps(shop);
    ada = await shop.worker();
    boss = await shop.worker({ role: 'supervisor' });
  });
  afterAll(async () => {
    expect(await unexplained(shop.api)).toEqual([]);
    await shop.close();
  });

  const jobs = async () =>
    (await shop.api.rows<{ id: string }>('SELECT id FROM production.job_ticket')).map(({ id }) => id);

  afterEach(async () => {
    expect(await allBreaches(shop.api, await jobs())).toEqual([]);
  });

  /** A bag of body, strap and lining, put together, looked at and sold. */
  const bag = (join: Part = {}, qc: Part = {}) =>
    shop.graph(
      [
        start(),
        node('SPLIT', 'split'),
        operation('BODY'),
        operation('STRAP'),
        operation('LINING'),
        node('JOIN', 'join', join),
        operation('SEW'),
        node('QC', 'qc', { teamCategory: 'general', ...qc }),
        end(),
      ],
      [
        ['START', 'SPLIT'],
        ['SPLIT', 'BODY', { componentCode: 'BODY' }],
        ['SPLIT', 'STRAP', { componentCode: 'STRAP' }],
        ['SPLIT', 'LINING', { componentCode: 'LINING' }],
        ['BODY', 'JOIN'],
        ['STRAP', 'JOIN'],
        ['LINING', 'JOIN'],
        ['JOIN', 'SEW'],
        ['SEW', 'QC'],
        ['QC', 'END', { isDefault: true }],
        ['QC', 'SEW', { type: 'rework' }],
      ],
    );

  describe('along a line', () => {
    it('begins with the job and ends with it', async () => {
      const { ticket, token } = await steps.batch(await shop.linear('CUT', 'SEW'));
      expect(token).toMatchObject({ status: 'ready', node: 'CUT', type: 'batch', qty: 10 });
      expect(await steps.work(ada, token)).toMatchObject({ status: 'ready', nodeCode: 'SEW' });
      expect(await steps.work(ada, token)).toMatchObject({ status: 'completed', nodeCode: null });
      expect(await steps.jobStatus(ticket)).toBe('completed');
      expect(await steps.history(token)).toEqual([
        ...['TOKEN_CREATE', 'NODE_ENTER', 'NODE_LEAVE', 'NODE_ENTER'],
        ...['NODE_START', 'NODE_COMPLETE', 'NODE_LEAVE', 'NODE_ENTER'],
        ...['NODE_START', 'NODE_COMPLETE', 'NODE_LEAVE', 'NODE_ENTER', 'NODE_COMPLETE'],
      ]);
    });

    it('knows how long each visit took and who did it', async () => {
      shop.now = new Date('2030-03-04T08:00:00Z');
      const { token } = await steps.batch(await shop.linear('CUT'));
      shop.now = new Date('2030-03-04T08:10:00Z');
      await steps.act(ada, token, 'start');
      shop.now = new Date('2030-03-04T08:30:00Z');
      await steps.act(ada, token, 'pause');
      shop.now = new Date('2030-03-04T08:35:00Z');
      await steps.act(ada, token, 'resume');
      shop.now = new Date('2030-03-04T08:40:00Z');
      await steps.act(ada, token, 'complete');
      shop.now = null;
      const [visit] = await shop.api.rows(
        `SELECT v.wait_seconds::float8 AS wait, v.work_seconds::float8 AS work, v.pause_seconds::float8 AS pause,
                v.operator_id AS operator, v.team_id AS team, v.outcome
         FROM production.token_node_visit v JOIN production.routing_node n ON n.id = v.node_id
         WHERE v.token_id = $1 AND n.node_code = 'CUT'`,
        [token.id],
      );
      const times = { wait: 600, work: 1_500, pause: 300 };
      expect(visit).toEqual({ ...times, operator: ada.id, team: shop.team.id, outcome: 'moved' });
    });

    it('can be completed while it is paused, which adds no work', async () => {
      shop.now = new Date('2030-03-05T08:00:00Z');
      const { token } = await steps.batch(await shop.linear('CUT'));
      await steps.act(ada, token, 'start');
      shop.now = new Date('2030-03-05T08:01:00Z');
      await steps.act(ada, token, 'pause');
      shop.now = new Date('2030-03-05T09:00:00Z');
      await steps.act(ada, token, 'complete');
      shop.now = null;
      const [session] = await shop.api.rows(
        `SELECT work_seconds::float8 AS work, status FROM production.token_work_session WHERE token_id = $1`,
        [token.id],
      );
      expect(session).toEqual({ work: 60, status: 'completed' });
    });

    it('is completed by whoever works on it, or a supervisor, and nobody else', async () => {
      const { token } = await steps.batch(await shop.linear('CUT', 'SEW'));
      expect(await steps.outcome(ada, token, 'complete')).toBe('409 token-state');
      await steps.act(ada, token, 'start');
      const bob = await shop.worker();
      expect(await steps.outcome(bob, token, 'complete')).toBe('409 not-assignee');
      expect(await steps.act(boss, token, 'complete')).toMatchObject({ nodeCode: 'SEW' });
    });

    it('refuses what is done to a token that has changed since', async () => {
      const { token } = await steps.batch(await shop.linear('CUT'));
      const { rowVersion } = await steps.act(ada, token, 'start');
      expect(await steps.outcome(ada, token, 'complete', { rowVersion: rowVersion - 1 })).toBe(
        '412 precondition-failed',
      );
      const { rowVersion: after } = await steps.act(ada, token, 'complete', { rowVersion });
      const [row] = await shop.api.rows('SELECT row_version FROM production.flow_token WHERE id = $1', [token.id]);
      expect(row).toEqual({ row_version: after });
    });

    it('warns of a clock that is more than five minutes off', async () => {
      const { token } = await steps.batch(await shop.linear('CUT'));
      await steps.act(ada, token, 'start');
      const device = { seq: 7, time: new Date(Date.now() - 6 * 60_000).toISOString() };
      expect(await steps.act(ada, token, 'complete', { device })).toMatchObject({ warnings: ['clock-skew'] });
      const [event] = await shop.api.rows(
        `SELECT client_seq FROM production.token_event WHERE token_id = $1 AND type = 'NODE_COMPLETE' ORDER BY id LIMIT 1`,
        [token.id],
      );
      expect(event).toEqual({ client_seq: '7' });
    });
  });

  describe('at a decision', () => {
    const choice = (edges: readonly Edge[]) =>
      shop.graph(
        [start(), node('D', 'decision'), operation('A'), operation('B'), end()],
        [['START', 'D'], ...edges, ['A', 'END'], ['B', 'END']],
      );

    it('takes the way whose condition holds, else the default', async () => {
      const graph = await choice([
        ['D', 'A', when('qty', '>', 50)],
        ['D', 'B', { isDefault: true }],
      ]);
      const large = await steps.batch(graph, { targetQty: 51 });
      const small = await steps.batch(graph, { targetQty: 50 });
      expect([large.token.node, small.token.node]).toEqual(['A', 'B']);
    });

    it('is held when two ways are equally right: it never guesses', async () => {
      const graph = await choice([
        ['D', 'A', when('qty', '>', 5)],
        ['D', 'B', when('qty', '>', 6)],
        ['D', 'END', { isDefault: true }],
      ]);
      const { ticket, token } = await steps.batch(graph);
      expect(token).toMatchObject({ node: 'D', status: 'ready', holdCode: 'AMBIGUOUS_ROUTE' });
      expect(await steps.outcome(ada, token, 'start')).toBe('409 token-held');
      expect(await steps.act(boss, token, 'release', { reason: 'Looked at' })).toMatchObject({
        holdCode: 'AMBIGUOUS_ROUTE',
      });
      expect(await steps.act(boss, token, 'move', { nodeCode: 'B', reason: 'By hand' })).toMatchObject({
        nodeCode: 'B',
        holdCode: null,
      });
      await steps.work(ada, token);
      expect(await steps.jobStatus(ticket)).toBe('completed');
    });

    const asking = (details: Part = {}) =>
      shop.graph(
        [
          start(),
          node('ASK', 'decision', {
            teamCategory: 'general',
            formSchema: { fields: [{ name: 'colour', label: 'Colour', type: 'choice', options: ['red', 'blue'] }] },
            ...details,
          }),
          operation('RED'),
          operation('BLUE'),
          end(),
        ],
        [
          ['START', 'ASK'],
          ['ASK', 'RED', when('form.colour', '==', 'red')],
          ['ASK', 'BLUE', { isDefault: true }],
          ['RED', 'END'],
          ['BLUE', 'END'],
        ],
      );

    it('goes by what is filled in', async () => {
      const { token } = await steps.batch(await asking({ formRole: 'supervisor' }));
      expect(token).toMatchObject({ node: 'ASK', status: 'ready' });
      expect(await steps.outcome(boss, token, 'form', { values: { colour: 'green' } })).toBe('422 invalid-request');
      expect(await steps.outcome(boss, token, 'form', { values: {} })).toBe('422 invalid-request');
      expect(await steps.outcome(boss, token, 'form', { values: { colour: 'red', size: 1 } })).toBe(
        '422 invalid-request',
      );
      expect(await steps.outcome(ada, token, 'form', { values: { colour: 'red' } })).toBe('403 permission-missing');
      expect(await steps.outcome(boss, token, 'complete')).toBe('422 action-not-for-node');
      expect(await steps.act(boss, token, 'form', { values: { colour: 'red' } })).toMatchObject({ nodeCode: 'RED' });
    });

    it('is filled in by whoever holds its role, and without one by whose it is or who may take it up', async () => {
      const red = { values: { colour: 'red' } };
      const ben = await shop.worker();
      const stranger = await shop.worker({ team: (await shop.newTeam({ teamCategory: 'cutting' })).id });
      const give = ({ id }: { readonly id: string }, to: object) =>
        shop.keyed(boss.api).post('/api/production/assignments', { tokenIds: [id], ...to }, 200);
      const open = await asking();

      const { token: own } = await steps.batch(open);
      await give(own, { operatorId: ada.id });
      expect(await steps.outcome(ben, own, 'form', red)).toBe('409 not-assignee');
      expect(await steps.act(ada, own, 'form', red)).toMatchObject({ nodeCode: 'RED' });

      const { token: theirs } = await steps.batch(open);
      await give(theirs, { teamId: shop.team.id });
      expect(await steps.outcome(stranger, theirs, 'form', red)).toBe('409 not-assignee');
      expect(await steps.act(ben, theirs, 'form', red)).toMatchObject({ nodeCode: 'RED' });

      const { token: nobodys } = await steps.batch(open);
      expect(await steps.outcome(stranger, nobodys, 'form', red)).toBe('409 not-assignee');
      expect(await steps.act(ben, nobodys, 'form', red)).toMatchObject({ nodeCode: 'RED' });

      const { token: ofRole } = await steps.batch(await asking({ formRole: 'operator' }));
      await give(ofRole, { operatorId: ada.id });
      expect(await steps.act(ben, ofRole, 'form', red)).toMatchObject({ nodeCode: 'RED' });
    });
  });

  describe('split and joined', () => {
    it('waits until all parts are there', async () => {
      const { ticket, token } = await steps.piece(await bag());
      expect(await steps.at(ticket)).toEqual(['SPLIT waiting', 'BODY ready', 'STRAP ready', 'LINING ready']);
      const parts = (await shop.tokens(ticket)).slice(1);
      expect(parts.map(({ serial }) => serial?.replace(token.serial ?? '', ''))).toEqual([
        '-BODY',
        '-STRAP',
        '-LINING',
      ]);
      expect(parts.map(({ type, parentId }) => [type, parentId])).toEqual(Array(3).fill(['component', token.id]));

      await steps.work(ada, await steps.tokenAt(ticket, 'BODY'));
      expect(await steps.work(ada, await steps.tokenAt(ticket, 'LINING'))).toMatchObject({ queueReason: 'JOIN_WAIT' });
      const whole = await shop.admin.get(`/api/production/tokens/${token.id}`, 200, tokenView);
      expect(whole.join).toEqual({ arrived: 2, expected: 3, missing: ['STRAP'] });
      expect(await steps.work(ada, await steps.tokenAt(ticket, 'STRAP'))).toMatchObject({ status: 'merged' });

      expect(await steps.at(ticket)).toEqual(['SEW ready']);
      const merged = (await shop.tokens(ticket)).filter(({ status }) => status === 'merged');
      expect(merged).toHaveLength(3);
    });

    it('never puts parts of two pieces together', async () => {
      const { ticket, tokens } = await steps.job(await bag(), { processMode: 'piece', targetQty: 2 });
      const [one, other] = tokens.filter(({ type }) => type === 'piece');
      const all = await shop.tokens(ticket);
      const partOf = (piece: { id: string } | undefined, at: string) =>
        all.find(({ parentId, node: where }) => parentId === piece?.id && where === at);
      await steps.work(ada, partOf(one, 'BODY'));
      await steps.work(ada, partOf(one, 'STRAP'));
      await steps.work(ada, partOf(other, 'LINING'));
      expect((await shop.tokens(ticket)).filter(({ status }) => status === 'merged')).toEqual([]);
      await steps.work(ada, partOf(one, 'LINING'));
      expect((await steps.at(ticket)).filter((at) => at.startsWith('SEW'))).toEqual(['SEW ready']);
    });

    it('goes on with the first where one is enough; what was begun is finished and then merged', async () => {
      const { ticket } = await steps.piece(await bag({ joinType: 'OR' }));
      const strap = await steps.tokenAt(ticket, 'STRAP');
      const bob = await shop.worker();
      await steps.act(bob, strap, 'start');
      await steps.work(ada, await steps.tokenAt(ticket, 'BODY'));
      expect(await steps.at(ticket)).toEqual(['SEW ready', 'STRAP active']);
      expect(await steps.act(bob, strap, 'complete')).toMatchObject({ status: 'merged' });
      expect(await steps.at(ticket)).toEqual(['SEW ready']);
    });

    it('is not made again for a piece that has gone on without it, nor sent back', async () => {
      const graph = await shop.graph(
        [
          start(),
          node('SPLIT', 'split'),
          operation('BODY'),
          operation('STRAP'),
          operation('LABEL'),
          node('QC', 'qc', { teamCategory: 'general' }),
          node('JOIN', 'join', { joinType: 'OR' }),
          operation('SEW'),
          end(),
        ],
        [
          ['START', 'SPLIT'],
          ['SPLIT', 'BODY'],
          ['SPLIT', 'STRAP'],
          ['SPLIT', 'LABEL'],
          ['BODY', 'JOIN'],
          ['LABEL', 'JOIN'],
          ['STRAP', 'QC'],
          ['QC', 'JOIN', { isDefault: true }],
          ['QC', 'STRAP', { type: 'rework' }],
          ['JOIN', 'SEW'],
          ['SEW', 'END'],
        ],
      );
      const { ticket } = await steps.piece(graph);
      const [label, strap] = [await steps.tokenAt(ticket, 'LABEL'), await steps.tokenAt(ticket, 'STRAP')];
      await steps.act(boss, label, 'scrap', { note: 'Torn' });
      await steps.work(ada, strap);
      await steps.act(boss, strap, 'start');
      await steps.work(ada, await steps.tokenAt(ticket, 'BODY'));
      expect(await steps.at(ticket)).toEqual(['SEW ready', 'QC active']);
      expect(await steps.outcome(boss, label, 'replacement', { reason: 'Again' })).toBe('409 token-state');
      expect(await steps.act(boss, strap, 'qc', { result: 'fail', defectCode: 'STITCH' })).toMatchObject({
        status: 'merged',
      });
      expect(await steps.at(ticket)).toEqual(['SEW ready']);
    });

    it('goes on with as many as are needed', async () => {
      const { ticket } = await steps.piece(await bag({ joinType: 'N_OF_M', joinQuorum: 2 }));
      await steps.work(ada, await steps.tokenAt(ticket, 'BODY'));
      expect((await steps.at(ticket)).includes('SEW ready')).toBe(false);
      await steps.work(ada, await steps.tokenAt(ticket, 'LINING'));
      expect(await steps.at(ticket)).toEqual(['SEW ready']);
    });

    it('is held while a part is lost, until that is replaced', async () => {
      const { ticket, token } = await steps.piece(await bag());
      const strap = await steps.tokenAt(ticket, 'STRAP');
      await steps.work(ada, await steps.tokenAt(ticket, 'BODY'));
      await steps.act(boss, strap, 'scrap', { note: 'Torn' });
      expect((await steps.at(ticket))[0]).toBe('SPLIT waiting DEADLOCK');
      expect(await steps.findings(ticket)).toEqual(['join-deadlock']);
      const { made } = await steps.act(boss, strap, 'replacement', { reason: 'Cut again' });
      expect(await steps.outcome(boss, strap, 'replacement', { reason: 'Twice' })).toBe('409 token-state');
      expect((await steps.at(ticket))[0]).toBe('SPLIT waiting');
      expect(await steps.findings(ticket)).toEqual([]);
      await steps.work(ada, made[0]);
      await steps.work(ada, await steps.tokenAt(ticket, 'LINING'));
      expect(await steps.at(ticket)).toEqual(['SEW ready']);
      expect((await shop.tokens(ticket)).find(({ id }) => id === token.id)).toMatchObject({
        node: 'SEW',
        holdCode: null,
      });
    });

    it('parts for good without a join', async () => {
      const graph = await shop.graph(
        [start(), node('SPLIT', 'split'), operation('A'), operation('B'), end('END'), end('OTHER')],
        [
          ['START', 'SPLIT'],
          ['SPLIT', 'A'],
          ['SPLIT', 'B'],
          ['A', 'END'],
          ['B', 'OTHER'],
        ],
      );
      const { ticket, token } = await steps.batch(graph);
      expect(await steps.at(ticket)).toEqual(['A ready', 'B ready']);
      expect(token.status).toBe('consumed');
      await steps.work(ada, await steps.tokenAt(ticket, 'A'));
      expect(await steps.jobStatus(ticket)).toBe('in_progress');
      await steps.work(ada, await steps.tokenAt(ticket, 'B'));
      expect(await steps.jobStatus(ticket)).toBe('completed');
    });

    it('makes as many parts as are drawn', async () => {
      const graph = await shop.graph(
        [
          start(),
          node('SPLIT', 'split', { splitPolicy: 'MULTIPLY' }),
          operation('BODY'),
          operation('STRAP'),
          node('JOIN', 'join'),
          end(),
        ],
        [
          ['START', 'SPLIT'],
          ['SPLIT', 'BODY', { multiply: 1 }],
          ['SPLIT', 'STRAP', { multiply: 2 }],
          ['BODY', 'JOIN'],
          ['STRAP', 'JOIN'],
          ['JOIN', 'END'],
        ],
      );
      const { ticket } = await steps.piece(graph);
      const parts = (await shop.tokens(ticket)).filter(({ type }) => type === 'component');
      expect(parts.map(({ node: at }) => at)).toEqual(['BODY', 'STRAP', 'STRAP']);
      for (const part of parts) await steps.work(ada, part);
      expect(await steps.jobStatus(ticket)).toBe('completed');
    });

    it('is split again inside a branch, and comes together from within', async () => {
      const graph = await shop.graph(
        [
          start(),
          node('SPLIT', 'split'),
          operation('BODY'),
          node('INNER', 'split'),
          operation('LEFT'),
          operation('RIGHT'),
          node('PAIR', 'join'),
          node('JOIN', 'join'),
          operation('SEW'),
          end(),
        ],
        [
          ['START', 'SPLIT'],
          ['SPLIT', 'BODY'],
          ['SPLIT', 'INNER', { componentCode: 'HANDLES' }],
          ['INNER', 'LEFT'],
          ['INNER', 'RIGHT'],
          ['LEFT', 'PAIR'],
          ['RIGHT', 'PAIR'],
          ['PAIR', 'JOIN'],
          ['BODY', 'JOIN'],
          ['JOIN', 'SEW'],
          ['SEW', 'END'],
        ],
      );
      const { ticket, token } = await steps.piece(graph);
      for (const at of ['LEFT', 'BODY', 'RIGHT']) await steps.work(ada, await steps.tokenAt(ticket, at));
      expect(await steps.at(ticket)).toEqual(['SEW ready']);
      expect((await steps.tokenAt(ticket, 'SEW')).id).toBe(token.id);
    });

    it('does not wait for a part that went another way', async () => {
      const graph = await shop.graph(
        [
          start(),
          node('SPLIT', 'split', { splitKind: 'COMPONENT' }),
          operation('BODY'),
          operation('LABEL'),
          node('CHECK', 'decision'),
          node('JOIN', 'join'),
          end(),
          end('WASTE', { isExceptionEnd: true }),
        ],
        [
          ['START', 'SPLIT'],
          ['SPLIT', 'BODY'],
          ['SPLIT', 'LABEL'],
          ['BODY', 'JOIN'],
          ['LABEL', 'CHECK'],
          ['CHECK', 'WASTE', when('qty', '>=', 1)],
          ['CHECK', 'JOIN', { isDefault: true }],
          ['JOIN', 'END'],
        ],
      );
      const { ticket, token } = await steps.piece(graph);
      await steps.work(ada, await steps.tokenAt(ticket, 'BODY'));
      expect(await steps.at(ticket)).toEqual(['SPLIT waiting', 'JOIN waiting', 'LABEL ready']);
      await steps.work(ada, await steps.tokenAt(ticket, 'LABEL'));
      expect((await shop.tokens(ticket)).find(({ id }) => id === token.id)?.status).toBe('completed');
      expect(await steps.jobStatus(ticket)).toBe('completed');
    });

    it('has all of a batch together again when its shares meet', async () => {
      const graph = await shop.graph(
        [
          start(),
          node('SPLIT', 'split', { splitPolicy: 'RATIO', splitKind: 'FORK' }),
          operation('A'),
          operation('B'),
          node('JOIN', 'join'),
          operation('PACK'),
          end(),
        ],
        [
          ['START', 'SPLIT'],
          ['SPLIT', 'A', { weight: 0.7 }],
          ['SPLIT', 'B', { weight: 0.3 }],
          ['A', 'JOIN'],
          ['B', 'JOIN'],
          ['JOIN', 'PACK'],
          ['PACK', 'END'],
        ],
      );
      const { ticket } = await steps.batch(graph);
      const first = await steps.tokenAt(ticket, 'B');
      await steps.work(ada, first);
      await steps.work(ada, await steps.tokenAt(ticket, 'A'));
      expect(await steps.tokenAt(ticket, 'PACK')).toMatchObject({ id: first.id, qty: 10, status: 'ready' });
      await steps.act(boss, first, 'scrap', { note: 'Wet' });
      const { made } = await steps.act(boss, first, 'replacement', { reason: 'Again' });
      expect(await steps.work(ada, made[0])).toMatchObject({ nodeCode: 'PACK' });
      await steps.work(ada, made[0]);
      expect(await steps.jobStatus(ticket)).toBe('completed');
    });

    it('makes only the parts whose conditions hold', async () => {
      const graph = await shop.graph(
        [
          start(),
          node('SPLIT', 'split', { splitPolicy: 'CONDITIONAL' }),
          operation('A'),
          operation('B'),
          operation('C'),
          node('JOIN', 'join'),
          end(),
        ],
        [
          ['START', 'SPLIT'],
          ['SPLIT', 'A', when('qty', '>', 5)],
          ['SPLIT', 'B', when('qty', '>', 50)],
          ['SPLIT', 'C', when('qty', '<', 50)],
          ['A', 'JOIN'],
          ['B', 'JOIN'],
          ['C', 'JOIN'],
          ['JOIN', 'END'],
        ],
      );
      const { ticket } = await steps.batch(graph);
      expect(await steps.at(ticket)).toEqual(['SPLIT waiting', 'A ready', 'C ready']);
      await steps.work(ada, await steps.tokenAt(ticket, 'A'));
      await steps.work(ada, await steps.tokenAt(ticket, 'C'));
      expect(await steps.jobStatus(ticket)).toBe('completed');
    });

    it('shares by weight: pieces one by one, a batch at once', async () => {
      const graph = await shop.graph(
        [start(), node('SPLIT', 'split', { splitPolicy: 'RATIO' }), operation('A'), operation('B'), end()],
        [
          ['START', 'SPLIT'],
          ['SPLIT', 'A', { weight: 0.6 }],
          ['SPLIT', 'B', { weight: 0.4 }],
          ['A', 'END'],
          ['B', 'END'],
        ],
      );
      const { tokens } = await steps.job(graph, { processMode: 'piece', targetQty: 10 });
      expect(tokens.map(({ node: at }) => at).join('')).toBe('ABABAABABA');
      const batch = await steps.batch(graph, { targetQty: 7 });
      const shares = (await shop.tokens(batch.ticket)).filter(({ node: at }) => at !== null);
      expect(shares.map(({ node: at, qty }) => [at, qty])).toEqual([
        ['A', 4],
        ['B', 3],
      ]);
    });
  });

  describe('at quality control', () => {
    const toQc = async (qc: Part = {}, edges: readonly Edge[] = [['QC', 'SEW', { type: 'rework' }]]) => {
      const graph = await shop.graph(
        [
          start(),
          operation('CUT', { teamCategory: 'cutting' }),
          operation('SEW'),
          node('QC', 'qc', { teamCategory: 'general', ...qc }),
          end(),
        ],
        [['START', 'CUT'], ['CUT', 'SEW'], ['SEW', 'QC'], ['QC', 'END', { isDefault: edges.length === 0 }], ...edges],
      );
      const job = await steps.piece(graph);
      await steps.act(boss, job.token, 'move', { nodeCode: 'QC', reason: 'Straight to the point' });
      return job;
    };
    const fail = { result: 'fail', defectCode: 'STITCH' };

    it('goes on when it passes', async () => {
      const { ticket, token } = await toQc();
      expect(await steps.outcome(boss, token, 'complete')).toBe('422 action-not-for-node');
      expect(await steps.act(boss, token, 'qc', { result: 'pass' })).toMatchObject({ status: 'completed' });
      expect(await steps.jobStatus(ticket)).toBe('completed');
    });

    it('goes back when it fails, as often as it may, and is then held rather than scrapped', async () => {
      const { token } = await toQc({ qcPolicy: { reworkLimit: 1 } });
      expect(await steps.act(boss, token, 'qc', fail)).toMatchObject({ nodeCode: 'SEW', holdCode: null });
      await steps.work(ada, token);
      expect(await steps.act(boss, token, 'qc', fail)).toMatchObject({ nodeCode: 'QC', holdCode: 'SUPERVISOR' });
    });

    it('is scrapped after the last rework where that is allowed', async () => {
      const { ticket, token } = await toQc({ qcPolicy: { reworkLimit: 0, allowScrap: true } });
      expect(await steps.act(boss, token, 'qc', fail)).toMatchObject({ status: 'scrapped' });
      expect(await steps.findings(ticket)).toEqual(['job-short']);
      expect(await steps.jobStatus(ticket)).toBe('in_progress');
    });

    it('is made anew when it is cut again, under the same serial', async () => {
      const { ticket, token } = await toQc();
      const { made } = await steps.act(boss, token, 'qc', { ...fail, mode: 'recut' });
      expect(made).toHaveLength(1);
      expect(await steps.at(ticket)).toEqual(['CUT ready']);
      const [anew] = await shop.api.rows(
        `SELECT serial, serial_rev AS rev, replaces_token_id AS replaces, rework_count AS reworks
         FROM production.flow_token WHERE id = $1`,
        made,
      );
      expect(anew).toEqual({ serial: token.serial, rev: 1, replaces: token.id, reworks: 0 });
    });

    it('goes back to where a person says, as far as its branch goes', async () => {
      const { token } = await toQc();
      expect(await shop.admin.get(`/api/production/tokens/${token.id}/rework-targets`)).toMatchObject({
        items: [{ nodeCode: 'SEW' }, { nodeCode: 'CUT' }],
      });
      expect(await steps.outcome(boss, token, 'qc', { ...fail, targetNodeCode: 'END' })).toBe('422 target-not-allowed');
      expect(await steps.act(boss, token, 'qc', { ...fail, targetNodeCode: 'CUT' })).toMatchObject({ nodeCode: 'CUT' });
      expect(await steps.history(token)).toContain('OVERRIDE_ROUTE');
    });

    it('takes no normal way when it fails, unless that is the default', async () => {
      const { token } = await toQc({}, []);
      expect(await steps.act(boss, token, 'qc', fail)).toMatchObject({ status: 'completed' });
    });

    it('is judged by nobody who made it, where that is asked for', async () => {
      const { token } = await toQc({ qcPolicy: { selfQcAllowed: false } });
      const judge = await shop.worker({ role: 'qc', part: { role: 'qc' } });
      await steps.act(boss, token, 'move', { nodeCode: 'SEW', reason: 'Back' });
      const tailor = await shop.worker({ role: 'supervisor' });
      await steps.work(tailor, token);
      expect(await steps.outcome(tailor, token, 'qc', { result: 'pass' })).toBe('409 not-assignee');
      expect(await steps.act(judge, token, 'qc', { result: 'pass' })).toMatchObject({ status: 'completed' });
    });

    it('says what is wrong when it fails, and nothing when it passes', async () => {
      const { token } = await toQc();
      expect(await steps.outcome(boss, token, 'qc', { result: 'fail' })).toBe('422 invalid-request');
      expect(await steps.outcome(boss, token, 'qc', { result: 'pass', defectCode: 'X' })).toBe('422 invalid-request');
      expect(await steps.outcome(ada, token, 'qc', { result: 'pass' })).toBe('403 permission-missing');
    });

    it('begins anew where a sink sends it for its defect', async () => {
      const graph = await shop.graph(
        [
          start(),
          operation('CUT'),
          operation('SEW'),
          node('QC', 'qc', { teamCategory: 'general' }),
          node('SINK', 'rework_sink', { reasonMap: { STITCH: 'SEW', default: 'CUT' } }),
          end(),
        ],
        [
          ['START', 'CUT'],
          ['CUT', 'SEW'],
          ['SEW', 'QC'],
          ['QC', 'END', { isDefault: true }],
          ['QC', 'SINK', { type: 'rework' }],
        ],
      );
      const { ticket, token } = await steps.piece(graph);
      await steps.act(boss, token, 'move', { nodeCode: 'QC', reason: 'To look at' });
      expect(await steps.act(boss, token, 'qc', fail)).toMatchObject({ status: 'consumed' });
      expect(await steps.at(ticket)).toEqual(['SEW ready']);
      const anew = await steps.tokenAt(ticket, 'SEW');
      expect(anew.serial).toBe(token.serial);
      await steps.work(ada, anew);
      await steps.act(boss, anew, 'qc', { result: 'pass' });
      expect(await steps.jobStatus(ticket)).toBe('completed');
    });
  });

  describe('in the hands of supervisors', () => {
    it('is held: nobody works on it until it is released', async () => {
      const { token } = await steps.batch(await shop.linear('CUT'));
      await steps.act(ada, token, 'start');
      expect(await steps.act(boss, token, 'hold', { reason: 'Wait' })).toMatchObject({
        status: 'paused',
        holdCode: 'SUPERVISOR',
      });
      expect(await steps.outcome(ada, token, 'resume')).toBe('409 token-held');
      expect(await steps.outcome(ada, token, 'complete')).toBe('409 token-held');
      expect(await steps.act(boss, token, 'release', { reason: 'Go on' })).toMatchObject({ holdCode: null });
      expect(await steps.outcome(boss, token, 'release', { reason: 'Again' })).toBe('409 token-state');
      await steps.act(ada, token, 'resume');
      await steps.act(ada, token, 'complete');
    });

    it('is moved among places where people work, and to no other', async () => {
      const { token } = await steps.batch(await shop.linear('CUT', 'SEW', 'PACK'));
      await steps.act(ada, token, 'start');
      expect(await steps.outcome(ada, token, 'move', { nodeCode: 'PACK', reason: 'No' })).toBe(
        '403 permission-missing',
      );
      expect(await steps.outcome(boss, token, 'move', { nodeCode: 'END', reason: 'No' })).toBe(
        '422 target-not-allowed',
      );
      expect(await steps.act(boss, token, 'move', { nodeCode: 'PACK', reason: 'Cut before' })).toMatchObject({
        nodeCode: 'PACK',
        status: 'ready',
      });
    });

    it('stays between its split and its join when it is a part', async () => {
      const { ticket } = await steps.piece(await bag());
      const body = await steps.tokenAt(ticket, 'BODY');
      expect(await steps.outcome(boss, body, 'move', { nodeCode: 'SEW', reason: 'No' })).toBe('422 target-not-allowed');
      expect(await steps.outcome(boss, body, 'move', { nodeCode: 'STRAP', reason: 'No' })).toBe(
        '422 target-not-allowed',
      );
      const [whole] = await shop.tokens(ticket);
      expect(await steps.outcome(boss, whole, 'move', { nodeCode: 'SEW', reason: 'No' })).toBe('409 token-state');
    });

    it('is corrected, and its history says from what to what', async () => {
      const { token } = await steps.batch(await shop.linear('CUT'));
      await steps.act(boss, token, 'adjust', { qty: 8, priority: 5, reason: 'Two are missing' });
      const [row] = await shop.api.rows(
        `SELECT qty::float8 AS qty, priority FROM production.flow_token WHERE id = $1`,
        [token.id],
      );
      expect(row).toEqual({ qty: 8, priority: 5 });
      expect(await steps.history(token)).toContain('TOKEN_ADJUST');
      expect(await steps.outcome(boss, token, 'adjust', { reason: 'Nothing' })).toBe('422 invalid-request');
      const piece = await steps.piece(await shop.linear('CUT'));
      expect(await steps.outcome(boss, piece.token, 'adjust', { qty: 2, reason: 'No' })).toBe('422 invalid-request');
    });

    it('is scrapped with all that it waits for', async () => {
      const { ticket, token } = await steps.piece(await bag());
      const body = await steps.tokenAt(ticket, 'BODY');
      await steps.act(ada, body, 'start');
      await steps.act(boss, token, 'scrap', { note: 'Wrong order' });
      expect((await shop.tokens(ticket)).map(({ status }) => status)).toEqual(Array(4).fill('scrapped'));
      expect(await steps.findings(ticket)).toContain('job-short');
      expect(await steps.act(boss, token, 'replacement', { reason: 'Once more' })).toMatchObject({
        status: 'scrapped',
      });
      const anew = ['BODY ready', 'STRAP ready', 'LINING ready', 'SPLIT waiting'];
      expect(await steps.at(ticket)).toEqual(anew);
      expect(await steps.findings(ticket)).toEqual([]);
    });

    it('is replaced by itself where the node says so', async () => {
      const scrapped = operation('SEW', { scrapPolicy: { mode: 'auto_from_start' } });
      const { ticket, token } = await steps.piece(await shop.linear('CUT', scrapped));
      await steps.work(ada, token);
      const { made } = await steps.act(boss, token, 'scrap', { note: 'Burnt' });
      expect(made).toHaveLength(1);
      expect(await steps.at(ticket)).toEqual(['CUT ready']);
    });

    it('is missed by nobody where nothing is to be replaced', async () => {
      const { ticket, tokens } = await steps.job(
        await shop.linear(operation('CUT', { scrapPolicy: { mode: 'none' } })),
        {
          processMode: 'piece',
          targetQty: 2,
        },
      );
      await steps.act(boss, tokens[0], 'scrap', { note: 'Burnt' });
      await steps.work(ada, tokens[1]);
      expect(await steps.jobStatus(ticket)).toBe('completed');
    });
  });

  describe('waiting', () => {
    const waitFor = (waitRule: Part, more: Part = {}) =>
      shop.graph(
        [start(), operation('CUT'), node('WAIT', 'wait', { waitRule, ...more }), operation('SEW'), end()],
        [
          ['START', 'CUT'],
          ['CUT', 'WAIT'],
          ['WAIT', 'SEW'],
          ['SEW', 'END'],
        ],
      );
    const later = async (at: string, what: 'endWaits' | 'endJoins') => {
      shop.now = new Date(at);
      const overdue = shop.api.app.get(Overdue, { strict: false });
      await overdue[what](Caller.system('test-of-waiting'), () => undefined);
      shop.now = null;
    };

    it('for a time, and no longer', async () => {
      const { ticket, token } = await steps.batch(await waitFor({ kind: 'time', minutes: 30 }));
      shop.now = new Date('2030-05-01T08:00:00Z');
      expect(await steps.work(ada, token)).toMatchObject({ status: 'waiting', queueReason: 'WAIT_CONDITION' });
      expect(await steps.outcome(ada, token, 'start')).toBe('422 action-not-for-node');
      await later('2030-05-01T08:29:59Z', 'endWaits');
      expect(await steps.at(ticket)).toEqual(['WAIT waiting']);
      await later('2030-05-01T08:30:00Z', 'endWaits');
      expect(await steps.at(ticket)).toEqual(['SEW ready']);
    });

    it('for others of the job: they leave together, and the rest not alone for ever', async () => {
      const graph = await waitFor({ kind: 'batch', minBatch: 2, collectFor: 'job_ticket' });
      const { ticket, tokens } = await steps.job(graph, { processMode: 'piece', targetQty: 3 });
      await steps.work(ada, tokens[0]);
      expect(await steps.at(ticket)).toEqual(['WAIT waiting', 'CUT ready', 'CUT ready']);
      await steps.work(ada, tokens[1]);
      expect(await steps.at(ticket)).toEqual(['SEW ready', 'SEW ready', 'CUT ready']);
      await steps.work(ada, tokens[2]);
      expect(await steps.at(ticket)).toEqual(['SEW ready', 'SEW ready', 'SEW ready']);
    });

    it('for those of the job that were scrapped no longer', async () => {
      const graph = await waitFor({ kind: 'batch', minBatch: 2, collectFor: 'job_ticket' });
      const { ticket, tokens } = await steps.job(graph, { processMode: 'piece', targetQty: 2 });
      await steps.work(ada, tokens[0]);
      await steps.act(boss, tokens[1], 'scrap', { note: 'Burnt' });
      expect(await steps.at(ticket)).toEqual(['WAIT waiting']);
      await later(new Date().toISOString(), 'endWaits');
      expect(await steps.at(ticket)).toEqual(['SEW ready']);
    });

    it('for an approval by whoever holds the role', async () => {
      const approval = { kind: 'approval', role: 'supervisor' };
      const { token } = await steps.batch(await waitFor(approval, { teamCategory: 'general' }));
      expect(await steps.work(ada, token)).toMatchObject({ nodeCode: 'WAIT', status: 'ready' });
      expect(await steps.outcome(ada, token, 'approve')).toBe('403 permission-missing');
      expect(await steps.act(boss, token, 'approve', { note: 'Fine' })).toMatchObject({ nodeCode: 'SEW' });
    });

    it('for parts as long as the join says', async () => {
      const graph = await shop.graph(
        [
          start(),
          node('SPLIT', 'split'),
          operation('BODY'),
          operation('STRAP'),
          node('JOIN', 'join', { waitWindowMinutes: 60, timeoutNodeCode: 'ASIDE' }),
          end(),
          end('ASIDE', { isExceptionEnd: true }),
        ],
        [
          ['START', 'SPLIT'],
          ['SPLIT', 'BODY'],
          ['SPLIT', 'STRAP'],
          ['BODY', 'JOIN'],
          ['STRAP', 'JOIN'],
          ['JOIN', 'END', { isDefault: true }],
          ['JOIN', 'ASIDE', when('rework_count', '>', 99)],
        ],
      );
      const { ticket, token } = await steps.piece(graph);
      shop.now = new Date('2030-05-01T08:00:00Z');
      await steps.work(ada, await steps.tokenAt(ticket, 'BODY'));
      await later('2030-05-01T08:59:59Z', 'endJoins');
      expect(await steps.at(ticket)).toEqual(['SPLIT waiting', 'JOIN waiting', 'STRAP ready']);
      await later('2030-05-01T09:00:00Z', 'endJoins');
      expect(await steps.at(ticket)).toEqual([]);
      expect((await shop.tokens(ticket)).find(({ id }) => id === token.id)?.status).toBe('completed');
      expect(await steps.findings(ticket)).toEqual(['join-timeout']);
      expect(await steps.jobStatus(ticket)).toBe('completed');
    });

    it('for copies as long as the join says, and goes on with those that came', async () => {
      const graph = await shop.graph(
        [
          start(),
          node('SPLIT', 'split', { splitKind: 'FORK' }),
          operation('A'),
          operation('B'),
          node('JOIN', 'join', { waitWindowMinutes: 60, timeoutNodeCode: 'LOOK' }),
          operation('LOOK'),
          end(),
        ],
        [
          ['START', 'SPLIT'],
          ['SPLIT', 'A'],
          ['SPLIT', 'B'],
          ['A', 'JOIN'],
          ['B', 'JOIN'],
          ['JOIN', 'LOOK'],
          ['LOOK', 'END'],
        ],
      );
      const { ticket } = await steps.batch(graph);
      shop.now = new Date('2030-05-01T08:00:00Z');
      const first = await steps.tokenAt(ticket, 'A');
      await steps.work(ada, first);
      await later('2030-05-01T09:00:00Z', 'endJoins');
      expect(await steps.at(ticket)).toEqual(['LOOK ready']);
      expect(await steps.work(ada, first)).toMatchObject({ status: 'completed' });
      expect(await steps.jobStatus(ticket)).toBe('completed');
    });
  });

  describe('is read', () => {
    it('with its history and its visits, page by page', async () => {
      const { token } = await steps.piece(await shop.linear('CUT', 'SEW'));
      await steps.work(ada, token);
      const path = `/api/production/tokens/${token.id}`;
      expect(await shop.admin.get(path, 200, tokenView)).toMatchObject({
        nodeCode: 'SEW',
        status: 'ready',
        serial: token.serial,
      });
      const first = await shop.admin.get(`${path}/events?limit=3`, 200, page);
      const rest = await shop.admin.get(`${path}/events?limit=50&cursor=${first.next ?? ''}`, 200, page);
      const types = [...first.items, ...rest.items].map(({ type }) => type);
      expect(types).toEqual(await steps.history(token));
      expect(rest.next).toBe(null);
      const visits = await shop.admin.get(`${path}/visits`, 200, page);
      expect(visits.items.map(({ nodeCode, outcome }) => [nodeCode, outcome])).toEqual([
        ['START', 'moved'],
        ['CUT', 'moved'],
        ['SEW', null],
      ]);
    });

    it('by its job, its place, its state and its serial', async () => {
      const { ticket, tokens } = await steps.job(await shop.linear('CUT', 'SEW'), {
        processMode: 'piece',
        targetQty: 3,
      });
      await steps.work(ada, tokens[0]);
      await steps.act(boss, tokens[1], 'hold', { reason: 'Wait' });
      const found = async (filter: string) => {
        const list = await shop.admin.get(`/api/production/tokens?jobTicketId=${ticket.id}&${filter}`, 200, page);
        return list.items.map(({ id }) => tokens.findIndex((token) => token.id === id)).toSorted();
      };
      expect(await found('')).toEqual([0, 1, 2]);
      expect(await found('nodeCode=CUT')).toEqual([1, 2]);
      expect(await found('held=true')).toEqual([1]);
      expect(await found('held=false&status=live')).toEqual([0, 2]);
      expect(await found('status=completed')).toEqual([]);
      expect(await found(`serial=${tokens[2]?.serial ?? ''}`)).toEqual([2]);
    });

    it('by its figures: how long routing and joins take, and what waits at a join', async () => {
      const graph = await bag();
      const { ticket } = await steps.piece(graph);
      const figures = async () => (await shop.api.send('GET', '/metrics')).body;
      const waiting = async () => Number(/^join_buffer_size (\d+)$/m.exec(await figures())?.[1]);
      const before = await waiting();
      await steps.work(ada, await steps.tokenAt(ticket, 'BODY'));
      expect(await waiting()).toBe(before + 1);
      await steps.work(ada, await steps.tokenAt(ticket, 'STRAP'));
      await steps.work(ada, await steps.tokenAt(ticket, 'LINING'));
      expect(await waiting()).toBe(before);
      expect(await figures()).toMatch(/^route_seconds_count [1-9]/m);
      expect(await figures()).toMatch(/^join_wait_seconds_count [1-9]/m);
    });

    it('by nobody who works elsewhere', async () => {
      const { token } = await steps.batch(await shop.linear('CUT'));
      const other = await (await Workshop.in(shop.api)).worker({ role: 'supervisor' });
      await other.api.get(`/api/production/tokens/${token.id}`, 404);
      expect(await steps.outcome(other, token, 'hold', { reason: 'No' })).toBe('404 token-not-found');
      expect(await steps.outcome(other, token, 'start')).toBe('404 token-not-found');
      expect(await other.api.get('/api/production/tokens', 200)).toEqual({ items: [], next: null });
    });
  });

  describe('without room further on', () => {
    it('stays where it was, and goes on when there is some', async () => {
      const graph = await shop.linear('CUT', operation('SEW', { wipLimit: 1, queueLimit: 0 }), 'PACK');
      const { ticket, tokens } = await steps.job(graph, { processMode: 'piece', targetQty: 2 });
      const [one, other] = tokens;
      await steps.work(ada, one);
      expect(await steps.work(ada, other)).toMatchObject({ nodeCode: 'CUT', status: 'ready', holdCode: 'QUEUE_LIMIT' });
      expect(await steps.outcome(ada, other, 'start')).toBe('409 token-held');
      expect(await steps.act(boss, other, 'release', { reason: 'Try' })).toMatchObject({ holdCode: 'QUEUE_LIMIT' });
      await steps.work(ada, one);
      expect(await steps.act(boss, other, 'release', { reason: 'Try' })).toMatchObject({
        nodeCode: 'SEW',
        holdCode: null,
      });
      expect(await steps.at(ticket)).toEqual(['PACK ready', 'SEW ready']);
    });

    it('is not split up by halves', async () => {
      const graph = await shop.graph(
        [
          start(),
          operation('CUT'),
          node('SPLIT', 'split'),
          operation('A'),
          operation('B', { wipLimit: 1, queueLimit: 0 }),
          node('JOIN', 'join'),
          end(),
        ],
        [
          ['START', 'CUT'],
          ['CUT', 'SPLIT'],
          ['SPLIT', 'A'],
          ['SPLIT', 'B'],
          ['A', 'JOIN'],
          ['B', 'JOIN'],
          ['JOIN', 'END'],
        ],
      );
      const { ticket, tokens } = await steps.job(graph, { processMode: 'piece', targetQty: 2 });
      await steps.work(ada, tokens[0]);
      expect(await steps.work(ada, tokens[1])).toMatchObject({ nodeCode: 'CUT', holdCode: 'QUEUE_LIMIT', made: [] });
      expect(await shop.tokens(ticket)).toHaveLength(4);
    });
  });
});
