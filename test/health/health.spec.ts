import { createServer } from 'node:http';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { directory } from '@belay/directory';
import {
  Health,
  NotInOrder,
  Overlay,
  probeListener,
  readConfig,
  startRuntime,
  type Ledger,
  type Migration,
  type RunningRuntime,
} from '@belay/platform';
import pg from 'pg';
import { ledgers } from '../../migrations/index.js';
import { FlagsFile } from '../gate/flags-file.js';
import { createDatabases, type TestDatabases } from '../support/databases.js';
import { probe } from '../support/domains/probe.js';
import { eventually } from '../support/eventually.js';
import { TcpProxy } from '../support/tcp-proxy.js';

class CreateProbe1764900000000 implements Migration {
  up(): Promise<void> {
    return Promise.resolve();
  }
  down(): Promise<void> {
    return Promise.resolve();
  }
}
const name = '1764900000000-create-probe';
const ofProbe: Ledger = {
  domain: 'probe',
  database: 'application',
  checksums: { [`probe/${name}`]: 'aa' },
  migrations: [CreateProbe1764900000000],
};
const inOrder = ['application-database', 'control-database', 'migrations', 'control-migrations', 'flags', 'overlay'];

describe('readiness', () => {
  let databases: TestDatabases;
  let flags: FlagsFile;
  let application: { proxy: TcpProxy; url: string };
  let control: { proxy: TcpProxy; url: string };
  let pool: pg.Pool;
  let runtime: RunningRuntime;
  let health: Health;

  beforeAll(async () => {
    databases = await createDatabases();
    pool = new pg.Pool({ connectionString: databases.databaseUrl, max: 1 });
    flags = new FlagsFile([directory, probe], ['enable_probe']);
    application = await TcpProxy.before(databases.databaseUrl);
    control = await TcpProxy.before(databases.controlUrl);
    const config = readConfig({
      DATABASE_URL: application.url,
      CONTROL_DATABASE_URL: control.url,
      FLAGS_FILE: flags.path,
      SECRET_KEY: Buffer.alloc(32).toString('base64'),
      LOG_LEVEL: 'silent',
    });
    runtime = await startRuntime('worker', [directory, probe], config);
    await pool.query(`CREATE TABLE public.probe_migrations (name text PRIMARY KEY, checksum text, state text)`);
  });
  beforeEach(async () => {
    application.proxy.pass();
    control.proxy.pass();
    await pool.query('TRUNCATE public.probe_migrations');
    health = new Health(runtime, ledgers);
    // On a busy machine the first connections may take longer than a look has time.
    await eventually(async () => {
      expect(await failing()).toEqual([]);
    }, 10_000);
  });
  afterEach(() => health.close());
  afterAll(async () => {
    await runtime.close();
    await Promise.all([application.proxy.close(), control.proxy.close(), pool.end()]);
    await databases.drop();
    flags.remove();
  });

  /** The names of what is not in order. */
  const failing = async (of = health) => (await of.ready()).checks.filter(({ ok }) => !ok).map((check) => check.name);
  const write = (checksum: string, state: string) =>
    pool.query('INSERT INTO public.probe_migrations VALUES ($1, $2, $3)', [name, checksum, state]);

  it('is given when everything is in order, and names what was looked at', async () => {
    const found = await health.ready();
    expect(found.ready).toBe(true);
    expect(found.checks.map((check) => check.name)).toEqual(inOrder);
  });

  describe('with a migration of a domain', () => {
    let expecting: Health;
    beforeEach(async () => {
      expecting = new Health(runtime, [...ledgers, ofProbe]);
      flags.on('enable_probe');
      await becomes('on');
    });
    afterEach(() => expecting.close());
    const becomes = (mode: string) =>
      eventually(() => {
        expect(runtime.gate.domainMode('probe')).toBe(mode);
      });
    const migrations = async () => {
      const { ready, checks } = await expecting.ready();
      return [ready, checks.find((check) => check.name === 'migrations')?.detail];
    };

    it.each([
      ['applied', 'aa'],
      ['applied beside those of a newer release', 'aa'],
    ])('is given when it is %s', async (how, checksum) => {
      await write(checksum, 'applied');
      if (how !== 'applied') await pool.query(`INSERT INTO public.probe_migrations VALUES ('1999', 'zz', 'applied')`);
      expect(await migrations()).toEqual([true, 'applied']);
    });

    it('is refused when it never ran, also while the domain is off', async () => {
      expect(await migrations()).toEqual([false, `not applied: probe/${name}`]);
      flags.off('enable_probe');
      await becomes('off');
      expect(await migrations()).toEqual([false, `not applied: probe/${name}`]);
    });

    it('is refused when another file of that name ran', async () => {
      await write('bb', 'applied');
      expect(await migrations()).toEqual([false, `not applied: probe/${name}`]);
    });

    it('is refused when it is parked and the domain is on, and given once the domain is off', async () => {
      await write('aa', 'parked');
      expect(await migrations()).toEqual([false, `not applied: probe/${name}`]);
      flags.off('enable_probe');
      await becomes('off');
      expect(await migrations()).toEqual([true, 'applied']);
    });
  });

  it.each([
    ['application', ['application-database', 'migrations'], false],
    ['control', ['control-database', 'control-migrations'], true],
  ] as const)('names what the %s database took with it while it is away', async (which, names, serves) => {
    expect(await failing()).toEqual([]);
    const { proxy } = { application, control }[which];
    proxy.refuse();
    expect(await failing()).toEqual(names);
    expect((await health.ready()).ready).toBe(serves);
    proxy.pass();
    await eventually(async () => {
      expect(await failing()).toEqual([]);
    });
  });

  it.each(['application', 'control'] as const)('is answered within 2.5 s when the %s database hangs', async (which) => {
    expect(await failing()).toEqual([]);
    ({ application, control })[which].proxy.hang();
    const began = performance.now();
    const { ready, checks } = await health.ready();
    expect(performance.now() - began).toBeLessThan(2_500);
    expect(checks.find((check) => check.name === `${which}-database`)).toMatchObject({ ok: false });
    expect(ready).toBe(which === 'control');
  });

  it('is refused when a migration of the control database never ran', async () => {
    const [own] = ledgers.filter(({ database }) => database === 'control');
    if (!own) throw new Error('There is no ledger of the control database');
    const checksums = Object.fromEntries(
      Object.entries(own.checksums).map(([key, checksum]) => [key.replace(/^control\//, 'later/'), checksum]),
    );
    const newer = new Health(runtime, [...ledgers, { ...own, domain: 'later', checksums }]);
    const { ready, checks } = await newer.ready();
    expect(ready).toBe(false);
    expect(checks.filter(({ ok }) => !ok)).toMatchObject([
      { name: 'control-migrations', detail: expect.stringMatching(/^not applied: later/) },
    ]);
    await newer.close();
  });

  it('says nothing of where a database is or why it is away', async () => {
    application.proxy.refuse();
    expect(JSON.stringify(await health.ready())).not.toMatch(/127\.0\.0\.1|ECONN|postgres:/);
  });

  it('is given, with a word, while overrides are unread for too long', async () => {
    const steering = new pg.Pool({ connectionString: 'postgres://127.0.0.1:1/nothing' });
    const overlay = await Overlay.open({
      url: 'postgres://127.0.0.1:1/nothing',
      pool: steering,
      log: runtime.log,
      acknowledge: () => undefined,
    });
    const blind = new Health({ ...runtime, overlay }, ledgers);
    expect(await failing(blind)).toEqual(['overlay']);
    expect((await blind.ready()).ready).toBe(true);
    await Promise.all([blind.close(), overlay.close(), steering.end()]);
  });

  it('is looked at once, however many ask at the same time', async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, () => health.ready()));
    expect(new Set(answers).size).toBe(1);
    expect(await health.ready()).not.toBe(answers[0]);
  });

  it('asks also what the process adds, whose failure it tells only when that is meant for everybody', async () => {
    const more = new Health(runtime, ledgers, {
      jobs: () => 'at work',
      relay: () => {
        throw new NotInOrder('stands still');
      },
      secret: () => {
        throw new Error('the password is hunter2');
      },
    });
    const { ready, checks } = await more.ready();
    expect(ready).toBe(false);
    expect(checks.slice(inOrder.length)).toEqual([
      { name: 'jobs', ok: true, detail: 'at work' },
      { name: 'relay', ok: false, detail: 'stands still' },
      { name: 'secret', ok: false, detail: 'does not answer' },
    ]);
    await more.close();
  });

  it('is answered by a process that serves nothing else, beside its liveness and metrics', async () => {
    const server = createServer(probeListener(runtime, health));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const url = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
    try {
      const ready = await fetch(`${url}/health/ready`);
      expect([ready.status, await ready.json()]).toMatchObject([200, { ready: true }]);
      application.proxy.refuse();
      const refused = await fetch(`${url}/health/ready`);
      expect([refused.status, await refused.json()]).toMatchObject([503, { ready: false }]);
      const live = await fetch(`${url}/health/live`);
      expect([live.status, await live.json()]).toMatchObject([200, { status: 'up' }]);
      const metrics = await fetch(`${url}/metrics`);
      expect(metrics.headers.get('content-type')).toContain('text/plain; version=0.0.4');
      expect(await metrics.text()).toContain('belay_build_info{role="worker"');
      expect((await fetch(`${url}/`)).status).toBe(404);
      expect((await fetch(`${url}/metrics`, { method: 'POST' })).status).toBe(404);
    } finally {
      server.close();
      server.closeAllConnections();
    }
  });
});
