import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';

const root = fileURLToPath(new URL('../../', import.meta.url));
const line = z.looseObject({ level: z.string(), time: z.iso.datetime(), msg: z.string() });

/** What a process that logs leaves on its standard output. */
async function output(end: string, env: Readonly<Record<string, string>> = {}) {
  const urls = { DATABASE_URL: 'postgres://nowhere/a', CONTROL_DATABASE_URL: 'postgres://nowhere/b' };
  const child = spawn(
    process.execPath,
    ['--import', './test/support/ts-loader.mjs', 'test/health/processes/log.ts', end],
    { cwd: root, env: { ...urls, SECRET_KEY: Buffer.alloc(32).toString('base64'), ...env } },
  );
  const [out, code] = await Promise.all([
    text(child.stdout),
    new Promise<number | null>((resolve) => child.once('exit', resolve)),
  ]);
  return { out, code };
}

const parsed = (out: string) =>
  out
    .trim()
    .split('\n')
    .map((one) => line.parse(JSON.parse(one)));

describe('the log', () => {
  it.each([
    ['end', 0],
    ['exit', 3],
  ])('has every line of a process that comes to its %s', async (end, expected) => {
    const { out, code } = await output(end);
    expect(code).toBe(expected);
    const lines = parsed(out);
    expect(lines.map((one) => one['line'])).toEqual(Array.from({ length: 1_000 }, (_, index) => index + 1));
    expect(lines[0]).toMatchObject({
      level: 'info',
      role: 'api',
      process: 'p-1',
      build: 'development',
      msg: 'counted',
    });
    expect(out).not.toContain('hunter2');
  });

  it.each([
    ['throw', 'uncaughtException'],
    ['reject', 'unhandledRejection'],
  ])('has every line, and why, when a process crashes by %s', async (end, origin) => {
    const { out, code } = await output(end);
    expect(code).toBe(1);
    const lines = parsed(out);
    expect(lines).toHaveLength(1_001);
    expect(lines.at(-1)).toMatchObject({ level: 'fatal', msg: 'crashed', origin, err: { type: 'Error' } });
  });

  it('says only what its level asks for', async () => {
    expect((await output('end', { LOG_LEVEL: 'warn' })).out).toBe('');
  });

  it('is text for people where that is asked for', async () => {
    const { out } = await output('exit', { LOG_PRETTY: 'true' });
    const lines = out.trim().split('\n');
    expect(lines).toHaveLength(1_000);
    expect(lines[0]).toMatch(/INFO.*counted.*"line":1/);
  });
});
