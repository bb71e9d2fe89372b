import { describe, expect, it } from '@jest/globals';
import { changeClassOf, parkedBy } from './change-class.js';
import type { ChangeClass } from './ledger.js';

const cases: readonly [ChangeClass, string][] = [
  ['metadata', `COMMENT ON TABLE sop.procedure IS 'how work is done'`],
  ['metadata', `CREATE INDEX procedure_by_title ON sop.procedure (title)`],
  ['metadata', `CREATE INDEX CONCURRENTLY IF NOT EXISTS procedure_by_title ON sop.procedure (title)`],
  ['metadata', `DROP INDEX sop.procedure_by_title`],
  ['metadata', `ALTER TABLE sop.procedure ALTER COLUMN title DROP NOT NULL`],
  ['metadata', `ALTER TABLE sop.procedure ALTER COLUMN title SET DEFAULT ''`],
  ['metadata', `SELECT platform.audit_table('sop.procedure')`],
  ['additive', `CREATE SCHEMA sop`],
  ['additive', `CREATE TABLE sop.procedure (id uuid PRIMARY KEY)`],
  ['additive', `ALTER TABLE sop.procedure ADD COLUMN note text`],
  ['additive', `ALTER TABLE sop.procedure ADD COLUMN priority integer NOT NULL DEFAULT 0`],
  ['additive', `ALTER TABLE sop.procedure ADD COLUMN seq bigint GENERATED ALWAYS AS IDENTITY`],
  ['additive', `CREATE VIEW sop.public_procedure AS SELECT id FROM sop.procedure`],
  ['additive', `CREATE MATERIALIZED VIEW dashboard.mv_team_workload AS SELECT 1 AS id`],
  ['additive', `INSERT INTO sop.template (code) VALUES ('a')`],
  ['contracting', `ALTER TABLE sop.procedure ADD COLUMN owner uuid NOT NULL`],
  ['contracting', `ALTER TABLE sop.procedure ALTER COLUMN title SET NOT NULL`],
  ['contracting', `ALTER TABLE sop.procedure RENAME TO procedure__parked`],
  ['contracting', `ALTER TABLE sop.procedure RENAME COLUMN title TO title__parked`],
  ['contracting', `ALTER TABLE sop.procedure ADD CONSTRAINT title_is_short CHECK (length(title) < 9)`],
  ['contracting', `CREATE UNIQUE INDEX procedure_title_is_unique ON sop.procedure (title)`],
  ['contracting', `DROP VIEW sop.public_procedure`],
  ['lossy', `DROP TABLE sop.procedure`],
  ['lossy', `DROP SCHEMA sop CASCADE`],
  ['lossy', `ALTER TABLE sop.procedure DROP COLUMN title`],
  ['lossy', `ALTER TABLE sop.procedure ALTER COLUMN title TYPE varchar(10)`],
  ['lossy', `UPDATE sop.procedure SET title = upper(title)`],
  ['lossy', `DELETE FROM sop.procedure`],
  ['lossy', `TRUNCATE sop.procedure`],
  ['lossy', `DO $$ BEGIN EXECUTE 'DROP TABLE sop.procedure'; END $$`],
];

describe('the class of a change', () => {
  it.each(cases)('is %s for %s', async (expected, sql) => {
    expect(await changeClassOf([sql])).toBe(expected);
  });

  it('is that of the worst statement, also of several in one text', async () => {
    expect(
      await changeClassOf([
        `CREATE TABLE sop.a (id int PRIMARY KEY); DROP TABLE sop.b`,
        `COMMENT ON TABLE sop.a IS ''`,
      ]),
    ).toBe('lossy');
  });

  it('does not count what is done to a table that the same change made', async () => {
    const made = [
      `CREATE TABLE sop.a (id int PRIMARY KEY)`,
      `ALTER TABLE sop.a ADD COLUMN b int NOT NULL`,
      `DELETE FROM sop.a`,
    ];
    expect(await changeClassOf([...made, `CREATE UNIQUE INDEX a_b_is_unique ON sop.a (b)`])).toBe('additive');
    expect(await changeClassOf([...made, `DELETE FROM sop.b`])).toBe('lossy');
  });

  it('does not count what is done inside a schema that the same change made', async () => {
    const made = [`CREATE SCHEMA sop`, `UPDATE sop.a SET b = 1`];
    expect(await changeClassOf(made)).toBe('additive');
    expect(await changeClassOf([...made, `UPDATE other.a SET b = 1`])).toBe('lossy');
  });

  it('is not fooled by a comment or a text that looks like SQL', async () => {
    expect(await changeClassOf([`COMMENT ON TABLE sop.a IS '; DROP TABLE sop.a;' -- DROP TABLE sop.a`])).toBe(
      'metadata',
    );
  });
});

describe('what a change parks', () => {
  it('is every kind of object that it renames to …__parked', async () => {
    const parked = await parkedBy([
      `ALTER SCHEMA "sop" RENAME TO "sop__parked"`,
      `ALTER TABLE "a"."b" RENAME TO "b__parked"; ALTER TABLE "a"."c" RENAME COLUMN "d" TO "d__parked"`,
      `ALTER VIEW "a"."v" RENAME TO "v__parked"`,
      `ALTER MATERIALIZED VIEW "a"."m" RENAME TO "m__parked"`,
      `ALTER TABLE "a"."b" RENAME TO "renamed"`,
    ]);
    expect(parked).toEqual([
      { kind: 'schema', object: 'sop' },
      { kind: 'table', object: 'a.b' },
      { kind: 'column', object: 'a.c.d' },
      { kind: 'view', object: 'a.v' },
      { kind: 'matview', object: 'a.m' },
    ]);
  });
});
