import { setTimeout as sleep } from 'node:timers/promises';
import { Conflict } from '@belay/platform';
import { z } from 'zod';
import { StepWaits, type StepContext } from '../../libs/rollback/src/engine/action.js';
import { defineAction } from '../../libs/rollback/src/engine/actions.js';
import { markedStep } from '../../libs/rollback/src/engine/fence.js';

/** Boxes on a shelf, and a line for each time one was put there or taken away. */
export const shelfSql = `
  CREATE SCHEMA shelf;
  CREATE TABLE shelf.box (name text PRIMARY KEY);
  CREATE TABLE shelf.effect (id bigint GENERATED ALWAYS AS IDENTITY, run_id uuid, name text, what text, epoch bigint);
  CREATE TABLE shelf.fault (name text PRIMARY KEY, left_over integer NOT NULL);`;

const input = z.strictObject({
  name: z.string(),
  /** What goes wrong, when something does. */
  fails: z.enum(['execute', 'verify', 'unknown', 'compensate', 'inspect']).nullable().default(null),
  /** Within the transaction of the effect. */
  ms: z.number().default(0),
});
type Input = z.infer<typeof input>;

class ShelfBroken extends Conflict {
  readonly slug = 'shelf-broken';
  readonly title = 'The shelf is broken';
}

async function has(context: StepContext, name: string): Promise<boolean> {
  const { rowCount } = await context.world.application.query(`SELECT FROM shelf.box WHERE name = $1`, [name]);
  return rowCount === 1;
}

async function change(context: StepContext, { name, ms }: Input, what: 'put' | 'taken') {
  return context.once(async (client) => {
    const { runId, epoch } = context;
    await client.query(what === 'put' ? `INSERT INTO shelf.box VALUES ($1)` : `DELETE FROM shelf.box WHERE name = $1`, [
      name,
    ]);
    await client.query(`INSERT INTO shelf.effect (run_id, name, what, epoch) VALUES ($1, $2, $3, $4)`, [
      runId,
      name,
      what,
      epoch,
    ]);
    if (ms > 0) await client.query(`SELECT pg_sleep($1)`, [ms / 1_000]);
    return { what };
  });
}

function put(
  name: string,
  traits: { critical?: boolean; compensated?: boolean; destructive?: boolean; timeoutS?: number },
) {
  return defineAction<Input>({
    name,
    version: 1,
    input,
    critical: traits.critical ?? true,
    destructive: traits.destructive ?? false,
    effect: true,
    timeoutS: traits.timeoutS ?? 20,
    retries: { attempts: 3, when: (error) => error instanceof Error && error.message.startsWith('shaky') },
    emergency: 'may',
    compensated: traits.compensated ?? true,
    inspect: async (context, { name: box, fails }) => {
      if (fails === 'inspect') throw new ShelfBroken('The shelf is broken.');
      return { there: await has(context, box) };
    },
    preview: (_context, { name: box }) =>
      Promise.resolve({
        changes: [`INSERT INTO shelf.box VALUES ('${box}')`],
        estimatedMs: 1,
        lock: 'row',
        rows: 1,
        reversible: true,
        notes: [],
      }),
    execute: async (context, given) => {
      const { rows } = await context.world.application.query<{ left_over: number }>(
        `UPDATE shelf.fault SET left_over = left_over - 1 WHERE name = $1 AND left_over > 0 RETURNING left_over`,
        [given.name],
      );
      if (rows.length > 0) throw new Error('shaky hands');
      if (given.fails === 'execute') throw new ShelfBroken('The shelf is broken.');
      context.progress(1, 2, 'boxes');
      return change(context, given, 'put');
    },
    verify: async (context, { name: box, fails }) => {
      if (fails === 'verify') return { outcome: 'fail', facts: { there: await has(context, box) } };
      if (fails === 'unknown') return { outcome: 'inconclusive', facts: { there: null } };
      return { outcome: (await has(context, box)) ? 'pass' : 'fail', facts: { there: true } };
    },
    compensate: async (context, given, { before }) => {
      if (given.fails === 'compensate') throw new ShelfBroken('The shelf is broken.');
      if (before['there'] === true || !(await has(context, given.name))) return { what: 'nothing' };
      return change(context, given, 'taken');
    },
    reconcile: async ({ world, stepKey }) => {
      const result = await markedStep(world.application, stepKey);
      return result ? { effect: 'done', result } : { effect: 'not-done' };
    },
  });
}

export const putBox = put('shelf.put', {});
/** What is put so stays, as what is switched off does. */
export const keepBox = put('shelf.keep', { compensated: false });
const maybeBox = put('shelf.maybe', { critical: false });
const riskyBox = put('shelf.risky', { destructive: true });
const hastyBox = put('shelf.hasty', { timeoutS: 1 });

/** Looks, and changes nothing. */
const lookAtBox = defineAction<Input>({
  ...looking('shelf.look'),
  verify: async (context, { name, fails }) => {
    if (fails === 'unknown') return { outcome: 'inconclusive', facts: {} };
    return { outcome: (await has(context, name)) ? 'pass' : 'fail', facts: {} };
  },
});

/** Goes on when a person says so. */
const askSomebody = defineAction<Input>({
  ...looking('shelf.ask'),
  effect: true,
  execute: ({ confirmed }) => {
    if (!confirmed) throw new StepWaits('human', { question: 'is it there?' });
    return Promise.resolve({ by: confirmed.by, facts: confirmed.facts });
  },
  verify: () => Promise.resolve({ outcome: 'pass', facts: {} }),
});

/** Does not heed its abort signal, and puts the box seconds later. */
const deafBox = defineAction<Input>({
  ...looking('shelf.deaf'),
  effect: true,
  timeoutS: 1,
  execute: async (context, given) => {
    await sleep(7_000);
    return change(context, given, 'put');
  },
});

function looking(name: string) {
  return {
    name,
    version: 1,
    input,
    critical: true,
    destructive: false,
    effect: false,
    timeoutS: 20,
    retries: { attempts: 1, when: () => false },
    emergency: 'must' as const,
    compensated: false,
    inspect: () => Promise.resolve({}),
    preview: () =>
      Promise.resolve({ changes: [], estimatedMs: 1, lock: 'none' as const, rows: 0, reversible: true, notes: [] }),
    execute: (): Promise<Record<string, never>> => Promise.resolve({}),
    verify: () => Promise.resolve({ outcome: 'pass' as const, facts: {} }),
    compensate: () => Promise.resolve({}),
    reconcile: () => Promise.resolve({ effect: 'not-done' as const }),
  };
}

export const shelfActions = [putBox, keepBox, maybeBox, riskyBox, hastyBox, lookAtBox, askSomebody, deafBox];
