import { catalogFingerprint, enabledDomains, type Domain } from '@belay/platform';
import pg from 'pg';
import { z } from 'zod';
import type { World } from '../engine/world.js';
import type { BackupFinding, BackupManifest } from './backup.contract.js';
import { contentOf, eachOf, openFixed } from './fixed-session.js';
import type { OpenBackup } from './open-backup.js';
import { lanes } from './restore-into.js';
import type { SideDatabase } from './side-database.js';

/**
 * Level 4: compares a restored database with what the manifest says of the one that was backed up, and asks it what its
 * domains ask of a database. Answers what is wrong; nothing is wrong when it answers nothing.
 */
export async function proveRestored(
  world: World,
  backup: Pick<OpenBackup, 'manifest'>,
  side: Pick<SideDatabase, 'url'>,
  signal?: AbortSignal,
): Promise<readonly BackupFinding[]> {
  const findings: BackupFinding[] = [];
  const clients: pg.Client[] = [];
  try {
    for (let lane = 0; lane < lanes; lane++) clients.push(await openFixed(side.url, 'belay:proof'));
    const proof = new Proof(backup.manifest, (subject, problem) => findings.push({ level: 4, subject, problem }));
    const [first] = clients;
    if (!first) return findings;
    const constraints = await foreignKeys(first, schemasOf(backup.manifest));
    const looks = [
      ...backup.manifest.tables.map((table) => (client: pg.Client) => proof.content(client, table)),
      ...constraints.map((constraint) => (client: pg.Client) => proof.foreignKey(client, constraint)),
      ...backup.manifest.sequences.map((sequence) => (client: pg.Client) => proof.sequence(client, sequence)),
    ];
    const lane = (client: pg.Client) => (look: (client: pg.Client) => Promise<void>) => look(client);
    await eachOf(looks, clients.map(lane), signal);
    await proof.catalogs(first);
    await proof.indexes(first);
  } finally {
    await Promise.all(clients.map((client) => client.end()));
  }
  signal?.throwIfAborted();
  if (findings.length === 0) findings.push(...(await probe(world, backup.manifest, side)));
  return findings;
}

type Find = (subject: string, problem: string) => void;
type ForeignKey = z.infer<typeof foreignKey>;

class Proof {
  constructor(
    private readonly manifest: BackupManifest,
    private readonly find: Find,
  ) {}

  async content(client: pg.Client, table: BackupManifest['tables'][number]): Promise<void> {
    const { rows } = await client.query<{ rows: string; hash: string }>(contentOf(table));
    const name = `${table.schema}.${table.table}`;
    if (rows[0]?.rows !== table.rows) this.find(name, `has ${rows[0]?.rows ?? 'no'} rows instead of ${table.rows}`);
    else if (rows[0].hash !== table.hash) this.find(name, 'has other rows');
  }

  async catalogs(client: pg.Client): Promise<void> {
    for (const { domain, fingerprint } of this.manifest.catalogs) {
      const { sha256 } = await catalogFingerprint(client, domain);
      if (sha256 !== fingerprint) this.find(domain, 'has another schema');
    }
  }

  async foreignKey(client: pg.Client, { name, child, parent, pairs }: ForeignKey): Promise<void> {
    const column = (of: string, column: string) => `${of}.${pg.escapeIdentifier(column)}`;
    const given = pairs.map(([from]) => `${column('c', from)} IS NOT NULL`).join(' AND ');
    const same = pairs.map(([from, to]) => `${column('p', to)} = ${column('c', from)}`).join(' AND ');
    const { rows } = await client.query<{ orphans: string }>(
      `SELECT count(*)::text AS orphans FROM ${child} c WHERE ${given} AND NOT EXISTS (SELECT FROM ${parent} p WHERE ${same})`,
    );
    if (rows[0]?.orphans !== '0') this.find(`${child} ${name}`, `${rows[0]?.orphans ?? '?'} rows have no parent`);
  }

  async sequence(client: pg.Client, { schema, name }: BackupManifest['sequences'][number]): Promise<void> {
    const sequence = `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(name)}`;
    const { rows: owners } = await client.query<{ table: string; column: string }>(
      `SELECT d.refobjid::regclass::text AS table, a.attname AS column
       FROM pg_depend d JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
       JOIN pg_sequence s ON s.seqrelid = d.objid
       WHERE d.classid = 'pg_class'::regclass AND d.objid = $1::text::regclass AND d.deptype IN ('a', 'i') AND s.seqincrement > 0`,
      [sequence],
    );
    for (const { table, column } of owners) {
      const { rows } = await client.query<{ behind: boolean }>(
        `SELECT coalesce(max(${pg.escapeIdentifier(column)}), 0) > (SELECT last_value FROM ${sequence}) AS behind FROM ${table}`,
      );
      if (rows[0]?.behind) this.find(sequence, `stands behind the numbers of ${table}`);
    }
  }

  /** Where the extension is there; each index is compared with the rows it is of. */
  async indexes(client: pg.Client): Promise<void> {
    const { rows: installed } = await client.query<{ schema: string }>(
      `SELECT n.nspname AS schema FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE extname = 'amcheck'`,
    );
    const [amcheck] = installed;
    if (!amcheck) return;
    const { rows } = await client.query<{ index: string }>(
      `SELECT c.oid::regclass::text AS index FROM pg_class c JOIN pg_am m ON m.oid = c.relam JOIN pg_index i ON i.indexrelid = c.oid
       WHERE m.amname = 'btree' AND c.relkind = 'i' AND i.indisvalid AND c.relnamespace::regnamespace::text = ANY ($1)`,
      [schemasOf(this.manifest)],
    );
    for (const { index } of rows) {
      try {
        await client.query(`SELECT ${pg.escapeIdentifier(amcheck.schema)}.bt_index_check($1::text::regclass, true)`, [
          index,
        ]);
      } catch (error) {
        if (!(error instanceof pg.DatabaseError)) throw error;
        this.find(index, error.message);
      }
    }
  }
}

function schemasOf({ domains }: BackupManifest): string[] {
  return domains.flatMap((domain) => [domain, `${domain}__parked`]);
}

const foreignKey = z.object({
  name: z.string(),
  child: z.string(),
  parent: z.string(),
  pairs: z.array(z.tuple([z.string(), z.string()])),
});

async function foreignKeys(client: pg.Client, schemas: readonly string[]): Promise<ForeignKey[]> {
  const { rows } = await client.query(
    `SELECT c.conname AS name, c.conrelid::regclass::text AS child, c.confrelid::regclass::text AS parent,
            (SELECT jsonb_agg(jsonb_build_array(child.attname, parent.attname) ORDER BY key.place)
             FROM unnest(c.conkey, c.confkey) WITH ORDINALITY AS key(child, parent, place)
             JOIN pg_attribute child ON child.attrelid = c.conrelid AND child.attnum = key.child
             JOIN pg_attribute parent ON parent.attrelid = c.confrelid AND parent.attnum = key.parent) AS pairs
     FROM pg_constraint c
     WHERE c.contype = 'f' AND c.conparentid = 0 AND c.convalidated
       AND c.connamespace::regnamespace::text = ANY ($1::text[])`,
    [[...schemas]],
  );
  return z.array(foreignKey).parse(rows);
}

/** What the domains ask of a database, and of an API on it. */
async function probe(
  world: World,
  manifest: BackupManifest,
  side: Pick<SideDatabase, 'url'>,
): Promise<BackupFinding[]> {
  const findings: BackupFinding[] = [];
  const live = domainsUp(world.domains, manifest);
  const client = await openFixed(side.url, 'belay:probe');
  try {
    await client.query('RESET search_path');
    for (const { name, runbook } of live) {
      for (const look of runbook?.probes.on ?? []) {
        if (look.kind !== 'rows') continue;
        const { rows } = await client.query(look.sql, [10, manifest.snapshotAt]);
        if (rows.length > 0)
          findings.push({ level: 4, subject: `${name}: ${look.name}`, problem: JSON.stringify(rows[0]) });
      }
    }
  } finally {
    await client.end();
  }
  const asked = live.flatMap(({ runbook }) => runbook?.probes.on ?? []).some(({ kind }) => kind === 'http');
  if (!asked || !world.stages) return findings;
  const flags = new Set(live.map(({ flag }) => flag));
  const stage = await world.stages.boot(
    side.url,
    enabledDomains(world.domains, (flag) => flags.has(flag)),
  );
  try {
    for (const { name, runbook } of live) {
      for (const look of runbook?.probes.on ?? []) {
        if (look.kind !== 'http') continue;
        const { status, code } = await stage.ask(look.method, look.path);
        if (status === look.status && (look.code === undefined || look.code === code)) continue;
        findings.push({
          level: 4,
          subject: `${name}: ${look.name}`,
          problem: `answers ${status} ${code ?? ''}`.trim(),
        });
      }
    }
  } finally {
    await stage.close();
  }
  return findings;
}

/** The domains of this build that the restored database has with their rows, not parked. */
function domainsUp(domains: readonly Domain[], { ledger, domains: withRows }: BackupManifest): readonly Domain[] {
  const up = new Set(
    withRows.filter((domain) => ledger.some((line) => line.domain === domain && line.state === 'applied')),
  );
  return domains.filter(
    ({ name, after }) => up.has(name) && [name, ...after].every((one) => up.has(one) || !withRows.includes(one)),
  );
}
