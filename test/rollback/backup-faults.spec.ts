import { execFileSync, fork } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { unsignedManifest, type UnsignedManifest } from '../../libs/rollback/src/backups/backup.contract.js';
import { writtenBackup } from '../../libs/rollback/src/backups/backup-record.service.js';
import { findBackup } from '../../libs/rollback/src/backups/backup.queries.js';
import { openBackup, signedBytes } from '../../libs/rollback/src/backups/open-backup.js';
import { dropLeftovers, SideDatabase } from '../../libs/rollback/src/backups/side-database.js';
import { Signer } from '../../libs/rollback/src/engine/signer.js';
import { eventually } from '../support/eventually.js';
import { BackupRoom, platformOnly } from './backup-room.js';
import { yardLedger, yardRows } from './yard.js';

const ofYard = { kind: 'domains' as const, domains: ['yard'] };
let room: BackupRoom;
beforeAll(async () => {
  room = await BackupRoom.open([yardLedger]);
  await room.rows(yardRows());
});
afterAll(() => room.close());

/** The largest file of rows. */
function dataOf(folder: string): string {
  const files = readdirSync(join(folder, 'data')).map((name) => join(folder, 'data', name));
  return files.toSorted((one, other) => statSync(other).size - statSync(one).size)[0] ?? '';
}

const damages: Record<string, { readonly do: (folder: string) => void; readonly says: RegExp }> = {
  'one flipped bit': {
    do: (folder) => {
      const file = dataOf(folder);
      const bytes = readFileSync(file);
      bytes[Math.floor(bytes.length / 2)] = (bytes[Math.floor(bytes.length / 2)] ?? 0) ^ 1;
      writeFileSync(file, bytes);
    },
    says: /another content/,
  },
  'a truncated file': {
    do: (folder) => {
      truncateSync(dataOf(folder), statSync(dataOf(folder)).size - 1);
    },
    says: /bytes instead of/,
  },
  'a longer file': {
    do: (folder) => {
      appendFileSync(dataOf(folder), 'x');
    },
    says: /bytes instead of/,
  },
  'a removed file': {
    do: (folder) => {
      rmSync(join(folder, 'flags.json'));
    },
    says: /is missing/,
  },
  'a foreign file': {
    do: (folder) => {
      writeFileSync(join(folder, 'data', 'more.copy.zst'), '');
    },
    says: /does not belong/,
  },
  'no manifest': {
    do: (folder) => {
      rmSync(join(folder, 'manifest.json'));
    },
    says: /cannot be read/,
  },
  'half a manifest': {
    do: (folder) => {
      const file = join(folder, 'manifest.json');
      truncateSync(file, Math.floor(statSync(file).size / 2));
    },
    says: /cannot be read/,
  },
  'a manifest with another figure': {
    do: (folder) => {
      const file = join(folder, 'manifest.json');
      writeFileSync(file, readFileSync(file, 'utf8').replace(/"rows": "(\d+)"/, '"rows": "7$1"'));
    },
    says: /not signed/,
  },
  'the manifest of another installation': {
    do: (folder) => {
      const { SECRET_KEY, TRUSTED_SIGNING_KEYS } = room.config;
      const stranger = { SECRET_KEY, TRUSTED_SIGNING_KEYS, BELAY_SIGNING_KEY: randomBytes(32).toString('base64') };
      rewrite(folder, (manifest) => manifest, new Signer(stranger));
    },
    says: /not signed/,
  },
};

/** A manifest that is wrong and all the same signed: what no thief can make, and a defect of ours could. */
function rewrite(
  folder: string,
  change: (manifest: UnsignedManifest) => UnsignedManifest,
  signer = room.world.signer,
): void {
  const file = join(folder, 'manifest.json');
  const changed = change(unsignedManifest.parse(JSON.parse(readFileSync(file, 'utf8'))));
  writeFileSync(file, JSON.stringify({ ...changed, signature: signer.sign(signedBytes(changed)) }));
}

describe('a backup that was damaged', () => {
  it.each(Object.keys(damages))('is found out by level 1: %s', async (name) => {
    const damage = damages[name];
    const { id, location } = await room.make(ofYard);
    expect(await room.prove(id, 1)).toMatchObject({ state: 'checksummed', level: 1 });
    damage?.do(location);
    await expect(openBackup(room.world, id)).rejects.toMatchObject({ slug: 'backup-broken' });
    const record = await room.prove(id, 1);
    expect(record.state).toBe('broken');
    expect(record.findings.map(({ problem }) => problem).join()).toMatch(damage?.says ?? /^$/);
    await expect(room.prove(id, 1)).resolves.toMatchObject({ state: 'broken' });
  });

  it('is read by the holder of an earlier key, as long as that is trusted', async () => {
    const { id } = await room.make(ofYard);
    const BELAY_SIGNING_KEY = randomBytes(32).toString('base64');
    const successor = room.another({ BELAY_SIGNING_KEY, TRUSTED_SIGNING_KEYS: [room.world.signer.publicKey] });
    await expect(openBackup(successor, id)).resolves.toBeDefined();
    await expect(openBackup(room.another({ BELAY_SIGNING_KEY }), id)).rejects.toMatchObject({ slug: 'backup-broken' });
  });

  it('of a newer kind is left alone', async () => {
    const { id, location } = await room.make(ofYard);
    const file = join(location, 'manifest.json');
    writeFileSync(file, readFileSync(file, 'utf8').replace('"schemaVersion": 1', '"schemaVersion": 2'));
    await expect(room.prove(id, 1)).rejects.toMatchObject({ slug: 'document-too-new' });
    expect(await findBackup(room.world.control, id)).toMatchObject({ state: 'created' });
  });
});

describe('a backup that says what is not so', () => {
  type Lie = (manifest: UnsignedManifest) => UnsignedManifest;
  const ofTruck =
    (change: object): Lie =>
    (manifest) => ({
      ...manifest,
      tables: manifest.tables.map((table) => (table.table === 'truck' ? { ...table, ...change } : table)),
    });
  it.each<[string, number, Lie, RegExp]>([
    ['of the number of rows', 2, ofTruck({ rows: '41' }), /40 rows instead of 41/],
    [
      'of the tables there were',
      2,
      (m) => ({ ...m, tables: m.tables.filter(({ table }) => table !== 'bay') }),
      /not in the backup/,
    ],
    [
      'of a part that jobs made',
      3,
      (m) => ({ ...m, partitions: m.partitions.slice(0, 1) }),
      /no partition of relation/,
    ],
    ['of the rows', 4, ofTruck({ hash: '42' }), /other rows/],
    [
      'of the schema',
      4,
      (m) => ({ ...m, catalogs: m.catalogs.map((one) => ({ ...one, fingerprint: '0'.repeat(64) })) }),
      /another schema/,
    ],
    [
      'of a sequence',
      4,
      (m) => ({ ...m, sequences: m.sequences.map((one) => ({ ...one, value: '1' })) }),
      /stands behind/,
    ],
    [
      'of rows that others refer to',
      4,
      (m) => ({
        ...m,
        tables: m.tables.map((one) =>
          one.table === 'bay'
            ? { ...one, file: m.tables.find(({ rows }) => rows === '0')?.file ?? '', rows: '0', hash: '0' }
            : one,
        ),
      }),
      /have no parent/,
    ],
  ])('%s is found out by level %i', async (_of, level, lie, says) => {
    const { id, location } = await room.make(ofYard);
    rewrite(location, lie);
    const hash = createHash('sha256')
      .update(readFileSync(join(location, 'manifest.json')))
      .digest('hex');
    await room.control(`UPDATE control.backup SET sha256 = $2 WHERE id = $1`, [id, hash]);
    const record = await room.prove(id, 4);
    expect(record).toMatchObject({ state: 'broken', level: level - 1 });
    expect(record.findings.map(({ problem }) => problem).join()).toMatch(says);
    expect(await room.sides()).toEqual([]);
  });
});

describe('a schema', () => {
  it('that no migration made is not backed up, and the refusal names the difference', async () => {
    await room.rows(`ALTER TABLE yard.bay ADD COLUMN smuggled text`);
    await expect(room.make(ofYard)).rejects.toMatchObject({
      slug: 'schema-drift',
      members: { drifted: [{ domain: 'yard', differences: ['column yard.bay.smuggled added'] }] },
    });
    await room.rows(`ALTER TABLE yard.bay DROP COLUMN smuggled`);
    await expect(room.make(ofYard)).resolves.toMatchObject({ state: 'created' });
  });

  it('of a newer release is restored by an older one, which has none of its migrations', async () => {
    const { id } = await room.make(ofYard);
    const older = room.another({}, platformOnly);
    expect(await room.prove(id, 4, older)).toMatchObject({ state: 'proven', findings: [] });
  });

  it('whose SQL nobody knows is not backed up, because nobody could restore it', async () => {
    await room.control(`UPDATE control.migration_artifact SET checksum = 'x' || checksum WHERE domain = 'yard'`);
    await expect(room.make(ofYard)).rejects.toMatchObject({ slug: 'backup-ledger-unknown' });
    await room.control(`UPDATE control.migration_artifact SET checksum = substr(checksum, 2) WHERE domain = 'yard'`);
  });
});

describe('whoever makes a backup', () => {
  it('may be killed with half of it written: nothing counts of that, and the next attempt makes it whole', async () => {
    const id = await room.announce(ofYard);
    const child = fork(fileURLToPath(new URL('processes/backup.ts', import.meta.url)), {
      execArgv: ['--import', new URL('../support/ts-loader.mjs', import.meta.url).href],
      env: {},
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    await once(child, 'message');
    child.send({ env: room.env, id, scope: ofYard, killAt: 0.5 });
    await once(child, 'exit');
    expect(child.signalCode).toBe('SIGKILL');
    const left = readdirSync(room.config.BACKUP_DIR).filter((name) => name.startsWith(id));
    expect(left).toEqual([expect.stringMatching(/\.part$/)]);
    expect(await findBackup(room.world.control, id)).toMatchObject({ state: 'creating', level: 0 });

    await writtenBackup(room.world, { id, scope: ofYard });
    expect(await room.prove(id, 4)).toMatchObject({ state: 'proven', findings: [] });
  });

  it('may lose its connection: nothing is left behind, and the next attempt makes it whole', async () => {
    const id = await room.announce(ofYard);
    const attempt = writtenBackup(room.world, {
      id,
      scope: ofYard,
      sessionName: 'to be cut',
      progress: () => {
        void room.rows(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'to be cut'`);
      },
    });
    await expect(attempt).rejects.toThrow(/terminat|connection/i);
    expect(readdirSync(room.config.BACKUP_DIR).filter((name) => name.startsWith(id))).toEqual([]);
    expect(await writtenBackup(room.world, { id, scope: ofYard })).toMatchObject({ state: 'created' });
  });

  it('stops at once when it is told to', async () => {
    const id = await room.announce(ofYard);
    const stop = new AbortController();
    const attempt = writtenBackup(room.world, {
      id,
      scope: ofYard,
      signal: stop.signal,
      sessionName: 'to be stopped',
      progress: () => {
        stop.abort();
      },
    });
    await expect(attempt).rejects.toThrow('abort');
    expect(readdirSync(room.config.BACKUP_DIR).filter((name) => name.startsWith(id))).toEqual([]);
    await eventually(async () => {
      expect(await room.rows(`SELECT FROM pg_stat_activity WHERE application_name = 'to be stopped'`)).toEqual([]);
    });
    expect(await writtenBackup(room.world, { id, scope: ofYard })).toMatchObject({ state: 'created' });
  });

  it('may be two at once: one folder comes of it', async () => {
    const id = await room.announce(ofYard);
    const both = await Promise.allSettled([
      writtenBackup(room.world, { id, scope: ofYard }),
      writtenBackup(room.world, { id, scope: ofYard }),
    ]);
    expect(both.map(({ status }) => status)).toContain('fulfilled');
    expect(readdirSync(room.config.BACKUP_DIR).filter((name) => name.startsWith(id))).toEqual([id]);
    expect(await room.prove(id, 2)).toMatchObject({ state: 'complete' });
  });
});

describe('a proof', () => {
  it('that is cut says nothing against the backup, and drops what it made', async () => {
    const { id } = await room.make(ofYard);
    let cut = false;
    const side = `belay_side_${id.slice(-8)}`;
    const proving = room.prove(id, 4);
    await eventually(async () => {
      const rows = await room.rows(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND application_name = 'belay:restore'`,
        [side],
      );
      cut = rows.length > 0;
      expect(cut).toBe(true);
    });
    await expect(proving).rejects.toThrow();
    expect(await findBackup(room.world.control, id)).toMatchObject({ state: 'complete', level: 2 });
    expect(await room.sides()).toEqual([]);
    expect(await room.prove(id, 4)).toMatchObject({ state: 'proven' });
  });

  it('that was killed leaves a side database, which is found and dropped; one that is in use is not', async () => {
    const { id } = await room.make(ofYard);
    const { manifest } = await openBackup(room.world, id);
    await SideDatabase.create(room.world, manifest.database, 'dead0001');
    const used = await SideDatabase.create(room.world, manifest.database, 'cafe0001');
    expect(await dropLeftovers(room.world)).toEqual([]);
    await room.control(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'belay:side:dead0001'`,
    );
    await eventually(async () => {
      expect(await dropLeftovers(room.world)).toEqual(['belay_side_dead0001']);
    });
    expect(await room.sides()).toEqual(['belay_side_cafe0001']);
    await used.drop();
  });
});

const canMount = process.platform === 'linux' && process.getuid?.() === 0;

(canMount ? describe : describe.skip)('a disk that is full', () => {
  const mount = mkdtempSync(join(tmpdir(), 'belay-small-disk-'));
  const megabytes = (count: number) => count * 1024 * 1024;
  beforeAll(async () => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=96m', 'none', mount]);
    // Nothing packs these.
    for (let bay = 0; bay < 24; bay++) {
      await room.rows(`INSERT INTO yard.bay (id, code, facts) VALUES (gen_random_uuid(), $1, to_jsonb($2::text))`, [
        `full ${bay}`,
        randomBytes(megabytes(1)).toString('base64'),
      ]);
    }
  });
  afterAll(() => {
    execFileSync('umount', [mount]);
    rmSync(mount, { recursive: true });
  });

  it('stops a backup before it begins, and names what is there and what is needed', async () => {
    const small = join(mount, 'small');
    mkdirSync(small);
    writeFileSync(join(mount, 'filler'), Buffer.alloc(megabytes(40)));
    const world = room.another({ BACKUP_DIR: small });
    const refused = room.make(ofYard, world);
    await expect(refused).rejects.toMatchObject({ slug: 'no-room-for-backup' });
    expect(readdirSync(small)).toEqual([]);
    rmSync(join(mount, 'filler'));
  });

  it.each([0, 14])('stops it while it is written, with %i MB left, and nothing stays', async (left) => {
    const folder = join(mount, `left ${left}`);
    mkdirSync(folder);
    const world = room.another({ BACKUP_DIR: folder });
    const id = await room.announce(ofYard);
    const fill = () => {
      const [draft] = readdirSync(folder);
      if (draft === undefined) return;
      clearInterval(watching);
      const free = Number(execFileSync('df', ['--output=avail', '-B1', mount], { encoding: 'utf8' }).split('\n')[1]);
      writeFileSync(join(mount, 'filler'), Buffer.alloc(free - megabytes(left)));
    };
    const watching = setInterval(fill, 1);
    await expect(writtenBackup(world, { id, scope: ofYard })).rejects.toMatchObject({ slug: 'no-room-for-backup' });
    clearInterval(watching);
    expect(readdirSync(folder)).toEqual([]);
    rmSync(join(mount, 'filler'));
    expect(await writtenBackup(world, { id, scope: ofYard })).toMatchObject({ state: 'created' });
    rmSync(folder, { recursive: true });
  });
});
