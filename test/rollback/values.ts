import { ledgerOf, migration } from '../migrations/ledgers.js';
import { park, unpark } from '../../migrations/support/park.js';

const createSchema = migration('CreateValue1764080000000', {
  up: async (q) => {
    if (await unpark(q, 'value')) return;
    await q.query(`CREATE SCHEMA value`);
    await q.query(`CREATE TYPE value.colour AS ENUM ('red', 'ünï')`);
    await q.query(`
      CREATE TABLE value.kind (
        "Id"      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        t         text,
        "a.b c"   varchar(40),
        b         bytea,
        n         numeric,
        j         jsonb,
        jj        json,
        ta        text[],
        ia        integer[][],
        i         interval,
        d         date,
        ts        timestamp,
        tz        timestamptz,
        ti        time,
        f         double precision,
        r         real,
        u         uuid,
        e         value.colour,
        ip        inet,
        rng       tstzrange,
        bits      bit varying,
        x         xml,
        c         char(5),
        g         text GENERATED ALWAYS AS (upper(t)) STORED
      )`);
    await q.query(`CREATE TABLE value."Ünlike.Others" (id integer PRIMARY KEY, s text)`);
    await q.query(`CREATE TABLE value.nothing ()`);
  },
  down: (q) => park(q, 'value'),
});

/** A domain with a column of every kind, under names that no file may have. */
export const valueLedger = ledgerOf('value', [createSchema]);

export const valueRows = `
  INSERT INTO value.kind (t, "a.b c", b, n, j, jj, ta, ia, i, d, ts, tz, ti, f, r, u, e, ip, rng, bits, x, c) VALUES
  (E'line\\nfeed\\ttab\\rreturn\\\\back \\\\N', 'ümläut 漢字 🧗', '\\x00ff0a5c', 1e-130, '{"a": [1, null, "ü"]}', '{"b" : 1}',
   ARRAY['a,b', 'c"d', NULL, ''], ARRAY[[1, 2], [3, NULL]], '1 year 2 mons -3 days 04:05:06.789', 'infinity', '-infinity',
   '0044-03-15 12:00:00+00 BC', '24:00:00', 0.1, 1e-40, gen_random_uuid(), 'ünï', '::1/128', '(,2026-01-01 00:00+02]', B'1011', '<a>ü</a>', 'ab'),
  ('', ' ', '', 'NaN', 'null', 'null', '{}', '{}', '-1 mon', '-infinity', 'infinity', '9999-12-31 23:59:59.999999+00', '00:00', 'Infinity', '-Infinity', NULL,
   'red', '10.0.0.0/8', 'empty', B'', '', ''),
  (repeat('長', 100000), NULL, decode(repeat('00', 100000), 'hex'), 123456789012345678901234567890.123456789, '[1e400]', '1', NULL, NULL, 'P178000000Y', '5874897-12-31',
   NULL, NULL, NULL, 'NaN', 3.4e38, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  (NULL, NULL, NULL, 'Infinity', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1.7976931348623157e308, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
  INSERT INTO value."Ünlike.Others" VALUES (1, '\\.'), (2, '\\N'), (3, E'\\\\.\\n');
  INSERT INTO value.nothing DEFAULT VALUES;
  INSERT INTO value.nothing DEFAULT VALUES;`;
