import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { directory } from '@belay/directory';
import { Flags, readConfig } from '@belay/platform';
import { pino } from 'pino';
import { beacon } from '../support/domains/beacon.js';
import { probe } from '../support/domains/probe.js';
import { eventually } from '../support/eventually.js';
import { FlagsFile } from './flags-file.js';

const domains = [directory, beacon, probe];

describe('flags of a file', () => {
  let file: FlagsFile;
  let lines: string[];
  let flags: Flags | undefined;
  beforeEach(() => {
    file = new FlagsFile(domains, ['enable_probe']);
    lines = [];
    flags = undefined;
  });
  afterEach(() => {
    flags?.close();
    file.remove();
  });

  async function open(path = file.path): Promise<Flags> {
    const config = readConfig({
      DATABASE_URL: 'postgres://nowhere/belay',
      CONTROL_DATABASE_URL: 'postgres://nowhere/belay_control',
      SECRET_KEY: Buffer.alloc(32).toString('base64'),
    });
    const log = pino({}, { write: (line: string) => lines.push(line) });
    flags = await Flags.open({ ...config, FLAGS_FILE: path }, domains, 'test', log);
    return flags;
  }
  const becomes = (flag: string, on: boolean) =>
    eventually(() => {
      expect(flags?.reading(flag).on).toBe(on);
    });

  it('are followed, and tell of changes that decide something', async () => {
    const opened = await open();
    let changes = 0;
    const stop = opened.onChange(() => (changes += 1));
    const before = opened.sha256;
    expect(opened.reading('enable_probe').on).toBe(true);

    file.off('enable_probe');
    await becomes('enable_probe', false);
    expect(opened.sha256).not.toBe(before);
    file.on('enable_probe');
    await becomes('enable_probe', true);
    expect(opened.sha256).toBe(before);
    expect(changes).toBe(2);
    stop();
    file.off('enable_probe');
    await becomes('enable_probe', false);
    expect(changes).toBe(2);
  });

  it('stay as they were while the file is not usable, which is logged', async () => {
    const opened = await open();
    for (const text of ['{"features": [', '[]', '{"features": [{"name": "enable_probe"}]}']) {
      lines.length = 0;
      file.write(text);
      await eventually(() => {
        expect(lines.join()).toContain('flags file not usable, last state kept');
      });
      expect(opened.reading('enable_probe').on).toBe(true);
    }
    file.off('enable_probe');
    await becomes('enable_probe', false);
  });

  it('stay as they were when the file goes, and when it is written in place', async () => {
    const opened = await open();
    rmSync(file.path);
    await eventually(() => {
      expect(lines.join()).toContain('last state kept');
    });
    expect(opened.reading('enable_probe').on).toBe(true);
    writeFileSync(file.path, '{"version": 2, "features": [{"name": "enable_probe", "enabled": false}]}');
    await becomes('enable_probe', false);
  });

  it('are the defaults of the release while there never was a file', async () => {
    const path = join(file.folder, 'not-yet.json');
    const opened = await open(path);
    expect(opened.origin).toBe('defaults');
    expect([opened.reading('enable_beacon').on, opened.reading('enable_probe').on]).toEqual([true, false]);
    writeFileSync(
      path,
      '{"features": [{"name": "enable_probe", "enabled": true, "strategies": [{"name": "default"}]}]}',
    );
    await becomes('enable_probe', true);
    expect(opened.origin).toBe('file');
    expect(lines).toEqual([]);
  });

  it('refuse a start when the file is there and not usable, and say why', async () => {
    file.write('{"features": [{"name": "enable_probe", "enabled": "yes"}]}');
    await expect(open()).rejects.toMatchObject({
      name: 'FlagsUnavailable',
      message: expect.stringMatching(
        /^FLAGS_FILE .*flags\.json holds no flags: .*expected boolean.*features\[0\]\.enabled/s,
      ),
    });
  });
});
