import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { directory } from '@belay/directory';
import { wms } from '@belay/wms';
import { markerCreate } from '../../libs/rollback/src/actions/marker.create.action.js';
import { migrationDown } from '../../libs/rollback/src/actions/migration.down.action.js';
import { migrationUp } from '../../libs/rollback/src/actions/migration.up.action.js';
import { verifyDomain } from '../../libs/rollback/src/actions/verify.domain.action.js';
import { ledgers } from '../../migrations/index.js';
import { ActionRoom } from './action-room.js';

const input = { domain: 'wms' };

describe('the warehouse, parked and back', () => {
  let room: ActionRoom;
  beforeAll(async () => {
    room = await ActionRoom.open({ domains: [directory, wms], ledgers });
    await room.rows(readFileSync(new URL('../migrations/rows/wms.sql', import.meta.url), 'utf8'));
    await room.rows(`UPDATE wms.import_batch SET status = 'committed' WHERE status IN ('checking', 'committing')`);
  });
  afterAll(() => room.close());

  const content = async () => room.rows(`SELECT schema_to_xml('wms', true, false, '')::text AS xml`);

  it('says what there is, once with its schema and once without', async () => {
    const step = await room.step(markerCreate, { name: 'before' });
    expect(await step.execute()).toMatchObject({ domains: ['wms'] });
    expect(await step.verify()).toMatchObject({ outcome: 'pass' });
  });

  it('comes back with every row of every table, and is looked at without its schema in between', async () => {
    const before = await content();
    const down = await room.step(migrationDown, input);
    await down.inspect();
    const { notes, changes } = await migrationDown.preview(down.context, input);
    expect(changes).toContain('ALTER SCHEMA "wms" RENAME TO "wms__parked"');
    expect(notes).toEqual(expect.arrayContaining([expect.stringMatching(/^wms\.movement has \d+ rows \(park\)$/)]));
    const result = await down.execute();
    expect(await down.verify()).toMatchObject({ outcome: 'pass', facts: { left: [], misplaced: [] } });
    expect(await down.reconcile()).toEqual({ effect: 'done', result });

    const look = await room.step(verifyDomain, { domain: 'wms', expect: 'off' });
    expect(await look.verify()).toMatchObject({ outcome: 'pass', facts: { noted: [] } });
    expect(await (await room.step(markerCreate, { name: 'without' })).execute()).toMatchObject({ domains: [] });

    const up = await room.step(migrationUp, { domain: 'wms', only: result['moved'] ?? null });
    await up.inspect();
    await up.execute();
    expect(await up.verify()).toMatchObject({ outcome: 'pass' });
    expect(await content()).toEqual(before);
  });

  it('is not parked in the middle of an import', async () => {
    await room.rows(`UPDATE wms.import_batch SET status = 'checking'`);
    const step = await room.step(migrationDown, input);
    await step.inspect();
    await expect(step.execute()).rejects.toMatchObject({ slug: 'rows-in-the-way' });
    expect(await room.rows(`SELECT FROM pg_namespace WHERE nspname = 'wms'`)).toHaveLength(1);
  });
});
