import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import pg from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { z } from 'zod';
import type { BackedUpTable } from './backup.contract.js';
import type { WrittenFile } from './backup-file.js';
import type { SourceTable } from './backup-source.queries.js';
import { contentOf } from './fixed-session.js';

/** Its rows as text into one file; what is counted and hashed is seen by the same transaction. */
export async function copyTable(
  client: pg.Client,
  table: SourceTable,
  write: (path: string, content: () => Readable) => Promise<WrittenFile>,
): Promise<BackedUpTable> {
  const { domain, schema, columns, where } = table;
  const list = columns.map((column) => `t.${pg.escapeIdentifier(column)}`).join(', ');
  const from = `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(table.table)} t${where === null ? '' : ` WHERE ${where}`}`;
  const rowsOut = () =>
    client.query(copyTo(`COPY (SELECT ${list} FROM ${from}) TO STDOUT`, { highWaterMark: 1 << 18 }));
  const file = await write(dataFile(schema, table.table), rowsOut);
  const content = await client.query<{ rows: string; hash: string }>(contentOf(table));
  const { rows, hash } = z.object({ rows: z.string(), hash: z.string() }).parse(content.rows[0]);
  if (BigInt(rows) !== file.lines)
    throw new Error(`${schema}.${table.table}: ${file.lines} rows were copied and ${rows} counted`);
  return {
    domain,
    schema,
    table: table.table,
    columns: [...columns],
    where,
    rows,
    hash,
    bytes: file.plainBytes.toString(),
    file: file.path,
  };
}

/** Against whoever would change or empty a table while it is read; readers and writers do not notice. */
export async function lockTables(leader: pg.Client, tables: readonly SourceTable[]): Promise<void> {
  if (tables.length === 0) return;
  const names = tables.map(({ schema, table }) => `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(table)}`);
  await leader.query(`LOCK TABLE ${names.join(', ')} IN ACCESS SHARE MODE`);
}

/** Names of a database may hold what names of files may not, and be longer than those. */
function dataFile(schema: string, table: string): string {
  const name = [schema, table].map(encoded).join('.');
  const fitting = name.length <= 200 ? name : createHash('sha256').update(name).digest('hex');
  return `data/${fitting}.copy.zst`;
}

function encoded(name: string): string {
  return [...Buffer.from(name)]
    .map((byte) => {
      const character = String.fromCharCode(byte);
      return /[a-z0-9_$-]/.test(character) ? character : `%${byte.toString(16).padStart(2, '0')}`;
    })
    .join('');
}
