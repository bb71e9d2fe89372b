import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { journalPoints, type JournalPoint } from '../../libs/rollback/src/engine/journal-point.js';
import { crashCases, openCrashRoom, type CrashCase } from './crash-cases.js';
import { CrashMatrix, type Cell } from './crash-matrix.js';
import type { RunRoom } from './run-room.js';

const worlds = 10;

/** Each list is of one run that is cut off again and again, at points in the order in which it passes them. */
const forth: readonly (readonly JournalPoint[])[] = [
  ['before-preview', 'before-intent', 'after-intent', 'after-effect', 'in-verify', 'after-verify'],
  ['after-intent', 'after-result'],
];
const back: readonly (readonly JournalPoint[])[] = [
  [
    'after-effect',
    'before-compensation-intent',
    'after-compensation-intent',
    'after-compensation',
    'after-compensation-result',
  ],
  ['after-result', 'after-compensation-intent'],
];

/** Every point of the journal, by every kind of death: before what comes next, and into the middle of it. */
function cellsOf(subject: CrashCase): Cell[] {
  const deaths = [
    { how: 'process', afterMs: 0 },
    { how: 'sessions', afterMs: 0 },
    { how: 'sessions', afterMs: 15 },
  ] as const;
  return deaths.flatMap((death) =>
    [forth, back].flatMap((chains) =>
      chains.map((points) => ({
        subject,
        back: chains === back,
        kills: points.map((point) => ({ point, idx: 0, ...death })),
      })),
    ),
  );
}

describe('Feature: version-rollback, Property 7: an executor that dies', () => {
  let rooms: RunRoom[];
  let matrix: CrashMatrix;
  beforeAll(async () => {
    rooms = [];
    for (let place = 0; place < worlds; place += 1) rooms.push(await openCrashRoom());
    matrix = new CrashMatrix(rooms);
    await matrix.learn(Object.values(crashCases));
  }, 120_000);
  afterAll(() => Promise.all(rooms.map((room) => room.close())));

  it('is tried at every point there is', () => {
    expect(new Set([...forth, ...back].flat())).toEqual(new Set(journalPoints));
  });

  it('leaves the target, or what was there before save what was switched off, and nothing twice', async () => {
    const report = await matrix.run(Object.values(crashCases).flatMap(cellsOf));
    console.log(JSON.stringify(report, null, 1));
    expect(report.failures).toEqual([]);
    expect(report.slowestResumeMs).toBeLessThan(5_000);
  }, 300_000);
});
