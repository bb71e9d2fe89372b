import { describe, expect, it } from '@jest/globals';
import { domains } from '@belay/domains';
import { Column, DataSource, Entity, getMetadataArgsStorage, PrimaryColumn } from 'typeorm';
import { withMigratedDatabases } from './databases.js';

type EntityClass = abstract new () => unknown;

/** Every entity that the domains brought along when they were imported, before this file declares its own. */
const registered = getMetadataArgsStorage().tables.map((table) => table.target);
const entities = registered.filter((target): target is EntityClass => typeof target === 'function');

/**
 * What would have to be done to the schema to make it that of the entities, also about their keys, rules and indexes.
 * An index that only SQL can say is declared as `@Index(name, { synchronize: false })`.
 */
async function drift(url: string, classes: readonly EntityClass[]): Promise<string[]> {
  const source = await new DataSource({
    type: 'postgres',
    url,
    entities: [...classes],
    installExtensions: false,
  }).initialize();
  try {
    const { upQueries } = await source.driver.createSchemaBuilder().log();
    return upQueries.map(({ query }) => query);
  } finally {
    await source.destroy();
  }
}

@Entity({ schema: 'platform', name: 'fence' })
class WrongFence {
  @PrimaryColumn({ type: 'text' })
  scope!: string;

  @Column({ type: 'integer' })
  epoch!: number;

  @Column({ type: 'text' })
  holder!: string;
}

@Entity({ schema: 'platform', name: 'fence' })
class ShortFence {
  @PrimaryColumn({ type: 'text' })
  scope!: string;
}

describe('the schema after all migrations', () => {
  it('is that of the entities of every domain', async () => {
    expect(domains.length).toBeGreaterThan(0);
    expect(entities.length).toBeGreaterThan(0);
    await withMigratedDatabases(async ({ targets }) => {
      expect(await drift(targets.databaseUrl, entities)).toEqual([]);
    });
  });

  it('is seen to differ by a missing, an extra and a retyped column', async () => {
    await withMigratedDatabases(async ({ targets }) => {
      const wrong = (await drift(targets.databaseUrl, [WrongFence])).join('\n');
      expect(wrong).toContain('ADD "holder" text NOT NULL');
      expect(wrong).toMatch(/"epoch".* integer/);
      expect(await drift(targets.databaseUrl, [ShortFence])).toEqual([
        'ALTER TABLE "platform"."fence" DROP COLUMN "epoch"',
      ]);
    });
  });
});
