import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { fileURLToPath } from 'node:url';
import { directory } from '@belay/directory';
import { z } from 'zod';
import { createDatabases, type TestDatabases } from '../support/databases.js';
import { eventually } from '../support/eventually.js';
import { FlagsFile } from './flags-file.js';
import { SettableControl } from './settable-control.js';

describe('the API as a process', () => {
  let databases: TestDatabases;
  let flags: FlagsFile;
  const children: ChildProcess[] = [];
  beforeAll(async () => {
    databases = await createDatabases();
  });
  afterAll(() => databases.drop());
  beforeEach(() => {
    flags = new FlagsFile([directory]);
  });
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    flags.remove();
  });

  function run(changes: Record<string, string> = {}) {
    const child = fork(fileURLToPath(new URL('../../apps/api/src/main.ts', import.meta.url)), {
      execArgv: ['--import', new URL('../support/ts-loader.mjs', import.meta.url).href],
      env: {
        LOG_LEVEL: 'silent',
        PORT: '0',
        SECRET_KEY: Buffer.alloc(32).toString('base64'),
        DATABASE_URL: databases.databaseUrl,
        CONTROL_DATABASE_URL: databases.controlUrl,
        FLAGS_FILE: flags.path,
        ...changes,
      },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    children.push(child);
    let complaint = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (complaint += text));
    const ended = once(child, 'exit').then(([code]: unknown[]) => ({ code, complaint }));
    return { child, ended, said: once(child, 'message').then(([message]: unknown[]) => message) };
  }

  it('names every variable that is bad and does not start', async () => {
    const { code, complaint } = await run({ PORT: 'http', LOG_LEVEL: 'loud' }).ended;
    expect(code).toBe(1);
    expect(complaint).toContain('PORT');
    expect(complaint).toContain('LOG_LEVEL');
    expect(complaint).not.toContain('    at ');
  });

  it('says in a sentence why it has no flags and does not start', async () => {
    const changes = { UNLEASH_URL: 'http://127.0.0.1:1/api', UNLEASH_TOKEN: 'x', FLAGS_BACKUP_DIR: flags.folder };
    const { code, complaint } = await run(changes).ended;
    expect(code).toBe(1);
    expect(complaint).toMatch(/^Refusing to start without flags: .*\n$/);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('ends in order on %s, signed off', async (signal) => {
    const control = new SettableControl(databases.controlUrl);
    const { child, ended, said } = run();
    const { url } = z.object({ url: z.string() }).parse(await said);
    expect((await fetch(`${url}/health/live`)).status).toBe(200);
    await eventually(async () => {
      const signedOn = await control.rows(`SELECT role, pid, booted FROM control.process`);
      expect(signedOn).toEqual([{ role: 'api', pid: child.pid, booted: ['directory', 'production', 'rollback'] }]);
    }, 500);
    const began = performance.now();
    child.kill(signal);
    expect(await ended).toEqual({ code: 0, complaint: '' });
    expect(performance.now() - began).toBeLessThan(10_000);
    expect(await control.rows(`SELECT FROM control.process`)).toEqual([]);
    await control.close();
  });

  it('does not outlive the process that started it', async () => {
    const { child, ended, said } = run();
    await said;
    child.disconnect();
    expect((await ended).code).toBe(0);
  });
});
