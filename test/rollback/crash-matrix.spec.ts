import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { actions } from '../../libs/rollback/src/actions/registry.js';
import { journalPoints } from '../../libs/rollback/src/engine/journal-point.js';
import { crashCases, openCrashRooms, triedElsewhere } from './crash-cases.js';
import { cellsOf, chains } from './crash-chains.js';
import { CrashMatrix } from './crash-matrix.js';
import type { RunRoom } from './run-room.js';
import { keepBox, putBox } from './shelf.js';

const worlds = 12;
const known = [...actions, putBox, keepBox];

describe('Feature: version-rollback, Property 7: an executor that dies', () => {
  let rooms: RunRoom[] = [];
  let matrix: CrashMatrix;
  beforeAll(async () => {
    rooms = await openCrashRooms(worlds);
    matrix = new CrashMatrix(rooms);
    await matrix.learn(crashCases);
  }, 180_000);
  afterAll(() => Promise.all(rooms.map((room) => room.close())));

  it('is tried with every action there is, at every point there is', () => {
    const tried = new Set([...crashCases.map(({ action }) => action), ...Object.keys(triedElsewhere)]);
    expect(tried).toEqual(new Set(known.map(({ name }) => name)));
    expect(new Set(chains.flatMap(({ points }) => points))).toEqual(new Set(journalPoints));
  });

  it.each(crashCases)('$action in peace comes off, and goes back unless it only switches off', (subject) => {
    const { before, forth, back } = matrix.golden(subject);
    const action = known.find(({ name }) => name === subject.action);
    const stays = action?.compensated !== true || !action.effect || subject.byHand === true;
    expect(back?.state).toEqual(stays ? forth?.state : before?.state);
  });

  it('leaves the target, or what was there before save what was switched off, and nothing twice', async () => {
    const began = performance.now();
    const report = await matrix.run(crashCases.flatMap(cellsOf));
    console.info(
      `${JSON.stringify({ ...report, failures: undefined })} in ${Math.round(performance.now() - began)} ms`,
    );
    expect(report.failures).toEqual([]);
    expect(report.killedRuns).toBeGreaterThanOrEqual(100);
    expect(report.killedRuns + report.cutSessions).toBeGreaterThanOrEqual(300);
    expect(report.resumesWithinMs).toBeLessThan(5_000);
  }, 400_000);
});
