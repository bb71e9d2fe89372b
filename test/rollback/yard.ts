import { Controller, Get, Module, Post } from '@nestjs/common';
import { Database, Endpoint, Public, statement, type Domain, type Ledger, type Migration } from '@belay/platform';
import type { QueryRunner } from 'typeorm';
import { z } from 'zod';
import { park, parkTables, unpark, unparkTables } from '../../migrations/support/park.js';

/** A domain with everything a restore may meet: references, numbers by identity and by sequence, parts, views inside and outside. */
class CreateYard1764009000000 implements Migration {
  async up(q: QueryRunner): Promise<void> {
    if (await unpark(q, 'yard')) return;
    await q.query(`CREATE SCHEMA yard`);
    await q.query(`
      CREATE FUNCTION yard.touch() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        NEW.row_version := OLD.row_version + 1;
        RETURN NEW;
      END $$`);
    await q.query(`
      CREATE TABLE yard.bay (
        id           uuid PRIMARY KEY,
        code         text NOT NULL CONSTRAINT bay_code_is_unique UNIQUE,
        facts        jsonb NOT NULL DEFAULT '{}',
        row_version  integer NOT NULL DEFAULT 1
      )`);
    await q.query(`
      CREATE TRIGGER bay_touch BEFORE UPDATE ON yard.bay FOR EACH ROW EXECUTE FUNCTION yard.touch()`);
    await q.query(`SELECT platform.audit_table('yard.bay')`);
    await q.query(`
      CREATE TABLE yard.truck (
        id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        bay_id   uuid NOT NULL CONSTRAINT truck_stands_in_a_bay REFERENCES yard.bay (id),
        plate    text NOT NULL CONSTRAINT truck_plate_is_unique UNIQUE,
        tonnes   numeric NOT NULL,
        kilos    numeric GENERATED ALWAYS AS (tonnes * 1000) STORED,
        seen_at  timestamptz NOT NULL DEFAULT clock_timestamp()
      )`);
    await q.query(`SELECT platform.audit_table('yard.truck')`);
  }

  async down(q: QueryRunner): Promise<void> {
    await park(q, 'yard');
  }
}

const visits = ['yard.visit', 'yard.journal'] as const;

class CreateVisit1764009100000 implements Migration {
  async up(q: QueryRunner): Promise<void> {
    if (await unparkTables(q, visits)) return;
    await q.query(`
      CREATE TABLE yard.visit (
        id        bigint GENERATED ALWAYS AS IDENTITY,
        truck_id  bigint NOT NULL CONSTRAINT visit_is_of_a_truck REFERENCES yard.truck (id),
        at        date NOT NULL,
        PRIMARY KEY (id, at)
      ) PARTITION BY RANGE (at)`);
    await q.query(
      `CREATE TABLE yard.visit_2026_01 PARTITION OF yard.visit FOR VALUES FROM ('2026-01-01') TO ('2026-02-01')`,
    );
    await q.query(`SELECT platform.audit_table('yard.visit')`);
    await q.query(`CREATE SEQUENCE yard.ticket_no START 500`);
    await q.query(
      `CREATE TABLE yard.journal (no bigint PRIMARY KEY DEFAULT nextval('yard.ticket_no'), said text NOT NULL)`,
    );
    await q.query(`
      CREATE TRIGGER journal_keep BEFORE UPDATE OR DELETE ON yard.journal
      FOR EACH ROW EXECUTE FUNCTION platform.refuse_change()`);
    await q.query(`
      CREATE MATERIALIZED VIEW yard.mv_load AS
      SELECT b.code, count(t.id) AS trucks, coalesce(sum(t.tonnes), 0) AS tonnes
      FROM yard.bay b LEFT JOIN yard.truck t ON t.bay_id = b.id GROUP BY b.code`);
    await q.query(`CREATE UNIQUE INDEX mv_load_by_code ON yard.mv_load (code)`);
  }

  async down(q: QueryRunner): Promise<void> {
    await parkTables(q, visits);
    await park(q, { materializedView: 'yard.mv_load' });
  }
}

const counted = z.object({ trucks: z.number() }).meta({ id: 'YardCount' });
const said = z.object({ no: z.string() }).meta({ id: 'YardSaid' });

const count = statement<z.infer<typeof counted>>('yard.count', `SELECT count(*)::integer AS trucks FROM yard.truck`);
const say = statement<z.infer<typeof said>>(
  'yard.say',
  `INSERT INTO yard.journal (said) VALUES ($1) RETURNING no::text AS no`,
);

/** One route that reads and one that writes. */
@Controller('yard')
class YardController {
  constructor(private readonly database: Database) {}

  @Get('trucks')
  @Public()
  @Endpoint('Count the trucks', { returns: counted })
  async count(): Promise<z.infer<typeof counted>> {
    const [found] = await count(this.database.manager, []);
    return { trucks: found?.trucks ?? 0 };
  }

  @Post('journal')
  @Public()
  @Endpoint('Say something', { status: 201, returns: said })
  async say(): Promise<z.infer<typeof said>> {
    const [entry] = await say(this.database.manager, ['something']);
    return { no: entry?.no ?? '' };
  }
}

@Module({ controllers: [YardController] })
class YardModule {}

export const yard = {
  name: 'yard',
  title: 'Yard',
  flag: 'enable_yard',
  after: [],
  features: [],
  module: YardModule,
} satisfies Domain;

export const yardLedger: Ledger = {
  domain: 'yard',
  database: 'application',
  migrations: [CreateYard1764009000000, CreateVisit1764009100000],
  checksums: { 'yard/1764009000000-create-yard': 'a'.repeat(64), 'yard/1764009100000-create-visit': 'b'.repeat(64) },
};

/** Views of somebody else over the yard, one on another, with what is granted and indexed on them. */
export const board = `
  CREATE SCHEMA board;
  CREATE VIEW board.truck WITH (security_barrier) AS SELECT t.id, t.plate, b.code FROM yard.truck t JOIN yard.bay b ON b.id = t.bay_id;
  CREATE VIEW board.plate AS SELECT plate FROM board.truck WHERE code <> '';
  COMMENT ON VIEW board.plate IS 'what people look at';
  CREATE MATERIALIZED VIEW board.mv_plate AS SELECT plate, length(plate) AS long FROM board.plate;
  CREATE UNIQUE INDEX mv_plate_by_plate ON board.mv_plate (plate);
  GRANT SELECT ON board.plate TO PUBLIC;`;

/** Bays with trucks and their visits; a part that no migration made. */
export function yardRows(bays = 4, trucks = 40): string {
  return `
    CREATE TABLE yard.visit_2026_02 PARTITION OF yard.visit FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
    INSERT INTO yard.bay (id, code, facts)
      SELECT ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, 'BAY-' || n, jsonb_build_object('n', n)
      FROM generate_series(1, ${bays}) n;
    INSERT INTO yard.truck (bay_id, plate, tonnes)
      SELECT ('00000000-0000-7000-8000-' || lpad((n % ${bays} + 1)::text, 12, '0'))::uuid, 'PL ' || n, n * 1.50
      FROM generate_series(1, ${trucks}) n;
    INSERT INTO yard.visit (truck_id, at) SELECT t.id, date '2026-01-05' + (t.id % 50)::integer FROM yard.truck t;
    INSERT INTO yard.journal (said) SELECT 'entry ' || n FROM generate_series(1, 20) n;
    REFRESH MATERIALIZED VIEW yard.mv_load;`;
}
