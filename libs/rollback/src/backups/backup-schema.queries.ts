import { catalogDifferences, type Catalog } from '@belay/platform';
import type pg from 'pg';
import { z } from 'zod';
import { BackupLedgerUnknown, SchemaDrift } from '../rollback.problems.js';
import type { BackupManifest } from './backup.contract.js';
import type { Source } from './backup-source.queries.js';

const artifact = z.object({
  domain: z.string(),
  name: z.string(),
  up: z.array(z.string()),
  down: z.array(z.string()),
  upAgain: z.array(z.string()),
});

/** A schema that is not what its last migration left could not be made again. Throws `schema-drift`. */
export async function refuseDrift(control: pg.Pool, { domains, catalogOf }: Source): Promise<void> {
  const { rows } = await control.query<{ domain: string; catalog: Catalog }>(
    `SELECT domain, catalog FROM control.schema_fingerprint WHERE domain = ANY ($1)`,
    [domains],
  );
  const recorded = new Map(rows.map(({ domain, catalog }) => [domain, catalog]));
  const drifted = domains.flatMap((domain) => {
    const then = recorded.get(domain);
    if (!then) return [{ domain, differences: ['what its last migration left was never recorded'] }];
    const differences = catalogDifferences(then, catalogOf.get(domain) ?? {});
    return differences.length === 0
      ? []
      : [{ domain, differences: differences.map(({ object, change }) => `${object} ${change}`) }];
  });
  if (drifted.length > 0) throw new SchemaDrift(drifted);
}

/** The SQL that each migration ran, so that no build is needed to make the schema again. Throws `backup-ledger-unknown`. */
export async function migrationSql(
  control: pg.Pool,
  ledger: BackupManifest['ledger'],
): Promise<readonly z.infer<typeof artifact>[]> {
  const { rows } = await control.query(
    `SELECT domain, name, up_sql AS up, down_sql AS down, up_again_sql AS "upAgain"
     FROM control.migration_artifact JOIN jsonb_to_recordset($1) AS line(domain text, name text, checksum text)
       USING (domain, name, checksum)`,
    [JSON.stringify(ledger)],
  );
  const stored = new Map(
    z
      .array(artifact)
      .parse(rows)
      .map((row) => [`${row.domain}/${row.name}`, row]),
  );
  const unknown = ledger.map(({ domain, name }) => `${domain}/${name}`).filter((name) => !stored.has(name));
  if (unknown.length > 0) throw new BackupLedgerUnknown(unknown);
  return [...stored.values()];
}
