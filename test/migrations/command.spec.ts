import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { migrateCommand } from '../../apps/cli/src/migrate.command.js';
import { ledgers } from '../../migrations/index.js';
import { connect, type OwnDatabases, withEmptyDatabases } from './databases.js';
import { fileNameOf } from './ledgers.js';

/** Runs `belay migrate …` and gives what it printed and the exit code. */
async function belay(
  { targets }: Pick<OwnDatabases, 'targets'>,
  ...words: string[]
): Promise<{ code: unknown; text: string }> {
  let text = '';
  const command = migrateCommand(
    () => ({ targets, release: 'r1' }),
    (answer) => (text += answer),
  );
  await command.parseAsync(words, { from: 'user' });
  return { code: process.exitCode, text };
}

const last = (text: string) => text.trimEnd().split('\n').at(-1);
const platform = ledgers
  .filter((ledger) => ledger.domain === 'platform')
  .flatMap((ledger) => ledger.migrations.map((one) => fileNameOf(one.name)));
const total = ledgers.reduce((sum, ledger) => sum + ledger.migrations.length, 0);

describe('belay migrate', () => {
  beforeEach(() => (process.exitCode = undefined));
  afterEach(() => (process.exitCode = undefined));

  it('brings everything up, once', async () => {
    await withEmptyDatabases(async (databases) => {
      const first = await belay(databases, 'up');
      expect(first.code).toBe(0);
      expect(last(first.text)).toBe(`${total} migrations went up.`);
      expect(await belay(databases, 'up')).toEqual({ code: 0, text: 'Nothing to do: everything is applied.\n' });
      expect(await databases.control(`SELECT DISTINCT release FROM control.migration_artifact`)).toEqual([
        { release: 'r1' },
      ]);
    });
  });

  it('parks the named domain, and has no default', async () => {
    await withEmptyDatabases(async (databases) => {
      await belay(databases, 'up');
      const [kept = '', parked = ''] = platform.slice(-2);
      const down = await belay(databases, 'down', 'platform', '--to', kept);
      expect(down).toEqual({ code: 0, text: `platform/${parked} down\n1 migration went down.\n` });
      const standing = `${platform.length - 1} applied, 1 parked, 0 pending.`;
      expect(last((await belay(databases, 'status', 'platform')).text)).toBe(standing);
      expect(last((await belay(databases, 'up', 'platform')).text)).toBe('1 migration went up.');
      const command = migrateCommand();
      for (const sub of command.commands) sub.exitOverride().configureOutput({ writeErr: () => undefined });
      await expect(command.parseAsync(['down'], { from: 'user' })).rejects.toThrow('missing required argument');
    });
  });

  it('prints SQL that can be run, in a dry run that changes nothing', async () => {
    await withEmptyDatabases(async (databases) => {
      const { code, text } = await belay(databases, 'up', 'control', '--dry-run');
      expect(code).toBe(0);
      const many = ledgers.find(({ domain }) => domain === 'control')?.migrations.length;
      expect(last(text)).toBe(`-- ${many} migrations would go up. Nothing was changed.`);
      expect(await databases.control(`SELECT FROM pg_namespace WHERE nspname = 'control'`)).toEqual([]);

      await databases.control(text);
      expect(await databases.control(`SELECT seq FROM control.audit_head`)).toEqual([{ seq: '0' }]);
    });
  });

  it('answers in JSON when asked to', async () => {
    await withEmptyDatabases(async (databases) => {
      const step = z.object({
        domain: z.string(),
        name: z.string(),
        direction: z.literal('up'),
        sql: z.array(z.string()),
      });
      const up = z.object({ dryRun: z.literal(false), steps: z.array(step) });
      expect(up.parse(JSON.parse((await belay(databases, 'up', '--json')).text)).steps).toHaveLength(total);
      const status = z.object({
        migrations: z.array(z.object({ state: z.literal('applied'), build: z.literal('same') })),
      });
      expect(status.parse(JSON.parse((await belay(databases, 'status', '--json')).text)).migrations).toHaveLength(
        total,
      );
    });
  });

  it('refuses with a sentence and code 2 when a check does not pass', async () => {
    await withEmptyDatabases(async (databases) => {
      await belay(databases, 'up');
      await databases.query(
        `UPDATE public.platform_migrations SET checksum = 'other' WHERE name LIKE '%create-platform'`,
      );
      const refused = await belay(databases, 'up');
      expect(refused.code).toBe(2);
      expect(refused.text).toContain(
        'migrations/platform/1764000000100-create-platform.ts was changed after it was applied',
      );
      const asked = z.object({ problem: z.object({ code: z.string(), name: z.string() }) });
      expect(asked.parse(JSON.parse((await belay(databases, 'up', '--json')).text)).problem).toEqual({
        code: 'migration-changed',
        name: '1764000000100-create-platform',
      });
    });
  });

  it.each([
    [['up', 'platfrom'], 'No domain platfrom was ever migrated'],
    [['up', 'platform', '--to', 'nonsense'], 'platform has no migration nonsense'],
    [['up', '--to', 'nonsense'], '--to needs a domain'],
  ])('says in one sentence what is wrong with %j', async (words, sentence) => {
    await withEmptyDatabases(async (databases) => {
      const { code, text } = await belay(databases, ...words);
      expect({ code, text }).toEqual({ code: 1, text: expect.stringContaining(sentence) });
      expect(text.trim().split('\n')).toHaveLength(1);
    });
  });

  it.each([
    ['postgres://postgres@127.0.0.1:1/belay', 'cannot be reached'],
    ['no such database', 'does not exist'],
  ])('says so when the database is %s', async (url, sentence) => {
    await withEmptyDatabases(async ({ targets }) => {
      const databaseUrl = url.includes('://') ? url : `${targets.databaseUrl}_not`;
      const { code, text } = await belay({ targets: { databaseUrl, controlUrl: databaseUrl } }, 'status');
      expect({ code, text }).toEqual({ code: 1, text: expect.stringContaining(sentence) });
    });
  });

  it('ends with code 6 when another runner is at work', async () => {
    await withEmptyDatabases(async (databases) => {
      await using other = await connect(databases.targets.controlUrl);
      await other.query(`SELECT pg_advisory_lock(hashtextextended('belay.migrations', 0))`);
      const { code, text } = await belay(databases, 'up', '--wait', '1');
      expect({ code, text }).toEqual({ code: 6, text: expect.stringContaining('Another migration is running') });
    });
  });
});
