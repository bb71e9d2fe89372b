import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { z } from 'zod';
import { act, openTrail, type Trail } from './trail.js';

const length = 12;
const seq = fc.integer({ min: 1, max: length });
const free = 1_000;

/** Statements that somebody with all rights may run; each leaves every number at most once. */
const edit = fc.oneof(
  fc
    .tuple(fc.constantFrom('action', 'subject', 'environment', 'reason', 'plan_id', 'before_digest', 'outcome'), seq)
    .map(
      ([column, at]) => `UPDATE control.audit_entry SET ${column} = coalesce(${column}, '') || 'x' WHERE seq = ${at}`,
    ),
  fc
    .tuple(fc.constantFrom('hash', 'prev_hash'), seq)
    .map(([column, at]) => `UPDATE control.audit_entry SET ${column} = sha256(${column}) WHERE seq = ${at}`),
  seq.map((at) => `UPDATE control.audit_entry SET at = at - interval '1 ms' WHERE seq = ${at}`),
  seq.map((at) => `UPDATE control.audit_entry SET actor = actor || '{"role": "admin"}' WHERE seq = ${at}`),
  seq.map((at) => `UPDATE control.audit_entry SET run_id = gen_random_uuid() WHERE seq = ${at}`),
  seq.map((at) => `DELETE FROM control.audit_entry WHERE seq = ${at}`),
  seq.map((at) => `DELETE FROM control.audit_entry WHERE seq = ${at}; ${shift(at + 1, -1)}`),
  fc.tuple(seq, seq).map(
    ([one, other]) =>
      `UPDATE control.audit_entry SET seq = seq + ${free} WHERE seq IN (${one}, ${other});
         UPDATE control.audit_entry SET seq = ${one} + ${other} + ${free} - seq WHERE seq > ${free}`,
  ),
  fc.tuple(seq, seq).map(
    ([from, at]) => `
      CREATE TEMP TABLE copied AS SELECT * FROM control.audit_entry WHERE seq = ${from};
      ${shift(at, 1)};
      UPDATE copied SET seq = ${at};
      INSERT INTO control.audit_entry SELECT * FROM copied;
      DROP TABLE copied`,
  ),
);

function shift(from: number, by: number): string {
  return `UPDATE control.audit_entry SET seq = seq + ${free} WHERE seq >= ${from};
          UPDATE control.audit_entry SET seq = seq - ${free} + ${by} WHERE seq > ${free}`;
}

describe('Feature: version-rollback, Property 12: the audit trail', () => {
  let own: Trail;
  beforeAll(async () => {
    own = await openTrail();
    for (let n = 1; n <= length; n++) await own.trail.append(act(`flag-${n}`, { reason: n % 2 === 0 ? 'slow' : null }));
    await own.control.query('CREATE TABLE public.written AS SELECT * FROM control.audit_entry');
  });
  afterAll(() => own.close());

  const restore = `TRUNCATE control.audit_entry; INSERT INTO control.audit_entry SELECT * FROM public.written;`;

  async function firstDifference(): Promise<number | undefined> {
    const { rows } = await own.control.query(`
      SELECT min(coalesce(now.seq, written.seq))::int AS seq
      FROM control.audit_entry now FULL JOIN public.written ON written.seq = now.seq
      WHERE now IS DISTINCT FROM written`);
    return z.array(z.object({ seq: z.number().nullable() })).parse(rows)[0]?.seq ?? undefined;
  }

  it('names the first entry that any edits have touched, and is whole when they cancel out', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 3 }), async (edits) => {
        await own.tamper(restore + edits.join(';'));
        expect((await own.trail.verify()).broken?.seq).toBe(await firstDifference());
      }),
      { numRuns: 150 },
    );
  });
});
