import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { randomUUIDv7 } from 'node:crypto';
import { migrateUp } from '@belay/platform';
import { system } from '../../libs/rollback/src/engine/actor.js';
import { markerList, markerView } from '../../libs/rollback/src/restores/marker.contract.js';
import { restorePreview, type PreviewRestore } from '../../libs/rollback/src/restores/restore-preview.contract.js';
import { Restores } from '../../libs/rollback/src/restores/restores.service.js';
import { ledgers } from '../../migrations/index.js';
import { Plant } from './plant.js';
import { damage, YardRoom } from './yard-room.js';
import { yard as yardDomain, yardLedger, yardRows } from './yard.js';

// A busy machine takes its time.
jest.setTimeout(120_000);

describe('a restore that is only looked at', () => {
  let yard: YardRoom;
  let restores: Restores;
  let markerId: string;
  let backups: Readonly<Record<'yard' | 'application', string>>;
  let damaged: unknown;
  beforeAll(async () => {
    yard = await YardRoom.open();
    restores = new Restores(yard.room.world);
    markerId = await yard.mark();
    backups = { yard: await yard.backUp(), application: await yard.backUp('application') };
    await yard.room.rows(damage);
    damaged = await yard.content();
  }, 60_000);
  afterAll(async () => {
    expect(await yard.content()).toEqual(damaged);
    expect(await yard.room.rows(`SELECT FROM pg_namespace WHERE nspname ~ '^(restore_|yard_)'`)).toEqual([]);
    await yard.close();
  });

  it('says which rows would go back to a marker, and under which hash', async () => {
    const asked = {
      path: 'R2',
      domain: 'yard',
      markerId,
      mode: null,
      tables: null,
      only: null,
      excludeActors: null,
    } as const;
    const seen = await restores.preview(system, asked);
    expect(seen).toMatchObject({
      path: 'R2',
      tables: [{ table: 'yard.bay' }, { table: 'yard.truck', upserts: 20, deletes: 1 }, { table: 'yard.visit' }],
      refusals: [],
    });
    expect(await restores.preview(system, asked)).toEqual(seen);
  });

  it('says what a backup has and the tables have not', async () => {
    const source = { domain: 'yard', backupId: backups.yard, failedSchema: null, failedDatabase: null };
    const asked: PreviewRestore = { path: 'R3', ...source, tables: ['yard.truck'], classes: ['missing'] };
    expect(await restores.preview(system, asked)).toMatchObject({
      path: 'R3',
      tables: [{ table: 'yard.truck', missing: 10, changed: 10, extra: 1 }],
    });
  });

  it('says what the failed copies would have otherwise', async () => {
    expect(await restores.preview(system, { path: 'R4', domain: 'yard', backupId: backups.yard })).toMatchObject({
      path: 'R4',
      refusals: [],
      dependents: ['board.truck', 'board.plate', 'board.mv_plate'],
      tables: expect.arrayContaining([
        expect.objectContaining({ table: 'yard.visit', missing: 10, changed: 0, extra: 0 }),
      ]),
    });
    expect(await restores.preview(system, { path: 'R5', backupId: backups.application })).toMatchObject({
      path: 'R5',
      tables: [{ table: 'yard.bay', changes: 2 }, { table: 'yard.truck' }, { table: 'yard.visit_2026_02' }],
      leftOut: ['board'],
    });
  });
});

describe('asking for it by HTTP', () => {
  let plant: Plant;
  beforeAll(async () => {
    plant = await Plant.open({ domains: [yardDomain] });
    await migrateUp(plant.databases, [...ledgers, yardLedger], 'yard');
    await plant.rows(yardRows());
  }, 60_000);
  afterAll(() => plant.close());
  const path = '/api/rollback/restores/preview';

  it('is for whoever may restore, and works while nothing may be written', async () => {
    const dba = await plant.as('dba');
    const { id: markerId } = await dba.ask('POST', '/api/rollback/markers', markerView, { name: 'before' });
    await plant.rows(`UPDATE yard.truck SET tonnes = 0 WHERE id <= 3`);
    const listed = await dba.ask('GET', '/api/rollback/markers?limit=1', markerList);
    expect(listed.items).toMatchObject([{ id: markerId, name: 'before', domains: [], runId: null }]);
    expect(await plant.control(`SELECT subject FROM control.audit_entry WHERE action = 'marker.create'`)).toEqual([
      { subject: markerId },
    ]);
    expect(await (await plant.as('viewer')).outcome('POST', '/api/rollback/markers', { name: 'mine' })).toBe(
      '403 permission-missing',
    );
    const body = { path: 'R2', domain: 'yard', markerId, tables: ['yard.truck'] };
    await plant.control(`SELECT control.override_flag('live', 'platform_writes', true, 'all is wrong', 'maria')`);
    const seen = await dba.ask('POST', path, restorePreview, body, 200);
    expect(seen).toMatchObject({ path: 'R2', tables: [{ table: 'yard.truck', updated: 3, upserts: 3 }] });
    expect(await (await plant.as('ops_operator')).outcome('POST', path, body)).toBe('403 permission-missing');
    expect(await dba.outcome('POST', path, { ...body, markerId: randomUUIDv7() })).toBe('404 marker-not-found');
    expect(await dba.outcome('POST', path, { path: 'R4', domain: 'yard', backupId: randomUUIDv7() })).toBe(
      '404 backup-not-found',
    );
    const both = { backupId: randomUUIDv7(), failedSchema: 'yard__failed_01234567' };
    expect(await dba.outcome('POST', path, { path: 'R3', domain: 'yard', tables: ['yard.truck'], ...both })).toBe(
      '422 invalid-request',
    );
    expect(await plant.rows(`SELECT count(*)::integer AS trucks FROM yard.truck`)).toEqual([{ trucks: 40 }]);
  });
});
