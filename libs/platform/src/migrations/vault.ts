import { z } from 'zod';
import type { ParkedName } from './change-class.js';
import { type ChangeClass, changeClasses } from './ledger.js';
import type { MigrationSession } from './session.js';

export interface Artifact {
  readonly domain: string;
  readonly name: string;
  readonly checksum: string;
  readonly upSql: readonly string[];
  readonly downSql: readonly string[];
  readonly upAgainSql: readonly string[];
  readonly parks: readonly ParkedName[];
  readonly class: ChangeClass;
  readonly needs: readonly string[];
}

const artifact: z.ZodType<Artifact> = z.object({
  domain: z.string(),
  name: z.string(),
  checksum: z.string(),
  upSql: z.array(z.string()),
  downSql: z.array(z.string()),
  upAgainSql: z.array(z.string()),
  parks: z.array(z.object({ kind: z.enum(['schema', 'table', 'column', 'view', 'matview']), object: z.string() })),
  class: z.enum(changeClasses),
  needs: z.array(z.string()),
});

const TABLE = 'control.migration_artifact';

/** The SQL of every migration that was ever applied, kept in the control database for builds that lack its file. */
export class Vault {
  constructor(private readonly session: MigrationSession) {}

  /** Whether the control database is migrated, so that there is a vault at all. */
  exists(): Promise<boolean> {
    return this.session.has(TABLE);
  }

  async store(stored: Artifact, release: string): Promise<void> {
    await this.session.runner.query(
      `INSERT INTO ${TABLE} (domain, name, checksum, up_sql, down_sql, up_again_sql, parks, class, needs, release)
       VALUES ($1, $2, $3, $4::text[], $5::text[], $6::text[], $7::jsonb, $8, $9::text[], $10)
       ON CONFLICT (domain, name, checksum) DO UPDATE
         SET up_sql = excluded.up_sql, down_sql = excluded.down_sql, up_again_sql = excluded.up_again_sql,
             parks = excluded.parks, class = excluded.class, needs = excluded.needs, release = excluded.release,
             at = clock_timestamp()`,
      [
        stored.domain,
        stored.name,
        stored.checksum,
        stored.upSql,
        stored.downSql,
        stored.upAgainSql,
        JSON.stringify(stored.parks),
        stored.class,
        stored.needs,
        release,
      ],
    );
  }

  async find(domain: string, name: string, checksum: string): Promise<Artifact | undefined> {
    if (!(await this.exists())) return undefined;
    const [found] = await this.session.rows(
      artifact,
      `SELECT domain, name, checksum, up_sql AS "upSql", down_sql AS "downSql", up_again_sql AS "upAgainSql", parks, class, needs
       FROM ${TABLE} WHERE domain = $1 AND name = $2 AND checksum = $3`,
      [domain, name, checksum],
    );
    return found;
  }

  /** The migrations, as `domain/name`, that need any of the given ones. */
  async needing(
    names: readonly string[],
  ): Promise<readonly { readonly name: string; readonly needs: readonly string[] }[]> {
    if (names.length === 0 || !(await this.exists())) return [];
    return this.session.rows(
      z.object({ name: z.string(), needs: z.array(z.string()) }),
      `SELECT domain || '/' || name AS name, needs FROM ${TABLE} WHERE needs && $1::text[]`,
      [names],
    );
  }
}
