import { describe, expect, it } from '@jest/globals';
import type { Room } from '@belay/production';
import { onLeave, outlooksOf, takenBack, type Comer } from './prospect.rules.js';
import type { Snapshot } from './snapshot.rules.js';
import { floor, idle, sewing } from './snapshot.samples.js';

/** A node at which both people of the one team may work, on three things a day. */
const nodeAt = (code: string): Snapshot =>
  floor(
    { team: { a: { capacityPerDay: 3 }, b: { capacityPerDay: 3 } } },
    { node: { ...sewing, id: code, code, workCenterId: 'bench' } },
  );
const roomOf = (places: number): Room => ({
  limits: { concurrency: places, wip: null, queue: null },
  occupancy: { started: 0, admitted: 0, waiting: 0, queued: 0 },
});
const places = ({ limits }: Room, before: number) =>
  before < (limits.concurrency ?? Infinity) ? null : ('CONCURRENCY_LIMIT' as const);
const comer = (id: string, nodeCode: string, room: Room): Comer => ({
  token: { id, jobTicketId: 'job', siteId: 'site', qty: 1, excluded: [] },
  nodeCode,
  room,
});
const nodes = (...snapshots: Snapshot[]) => new Map(snapshots.map((snapshot) => [snapshot.node.code, snapshot]));

describe('how work would go', () => {
  it('gives out the places of one bench to all of its nodes, in the order in which tokens come', () => {
    const bench = roomOf(2);
    const comers = ['SEW', 'TRIM', 'SEW', 'TRIM'].map((code, n) => comer(`${n}`, code, bench));
    const outlooks = outlooksOf(nodes(nodeAt('SEW'), nodeAt('TRIM')), comers, places);
    const told = [...outlooks.values()].map(({ fates }) =>
      fates.map(({ token, resolution, position }) => [token.id, resolution.decision, position]),
    );
    expect(told).toEqual([
      [
        ['0', 'ASSIGNED', null],
        ['2', 'QUEUED', 1],
      ],
      [
        ['1', 'ASSIGNED', null],
        ['3', 'QUEUED', 2],
      ],
    ]);
  });

  it('gives a place that nobody there can take to the next one', () => {
    const nobody = { ...nodeAt('SEW'), members: [] };
    const bench = roomOf(1);
    const comers = [comer('0', 'SEW', bench), comer('1', 'TRIM', bench)];
    const outlooks = outlooksOf(nodes(nobody, nodeAt('TRIM')), comers, places);
    expect(outlooks.get('SEW')?.fates).toMatchObject([{ resolution: { decision: 'QUEUED' }, position: 1 }]);
    expect(outlooks.get('TRIM')?.fates).toMatchObject([{ resolution: { decision: 'ASSIGNED' }, position: null }]);
  });

  it('has everybody do at one node what the others leave them time for', () => {
    const rooms = [roomOf(9), roomOf(9)];
    const comers = Array.from({ length: 7 }, (_, n) =>
      comer(`${n}`, n < 4 ? 'SEW' : 'TRIM', rooms[Number(n >= 4)] ?? roomOf(0)),
    );
    // Three a day for each of the two.
    const [sew, trim] = [...outlooksOf(nodes(nodeAt('SEW'), nodeAt('TRIM')), comers, places).values()];
    expect(sew?.fates.map(({ resolution }) => resolution.decision)).toEqual(Array(4).fill('ASSIGNED'));
    expect(trim?.fates.map(({ resolution }) => resolution.decision)).toEqual(['ASSIGNED', 'ASSIGNED', 'QUEUED']);
    expect([sew?.sigma, trim?.sigma]).toEqual([0, 0]);
  });

  it('counts those who may be at it, and how unevenly they are loaded in the end', () => {
    const comers = [0, 1].map((n) => comer(`${n}`, 'SEW', roomOf(9)));
    const alone = onLeave(nodeAt('SEW'), 'a', null);
    expect(outlooksOf(nodes(alone), comers, places).get('SEW')).toMatchObject({ headcount: 1, sigma: 0 });
    const [a, b] = nodeAt('SEW').operators;
    if (!a || !b) throw new Error('There are two people');
    const loaded = { ...nodeAt('SEW'), operators: [{ ...a, work: { ...idle, open: 5 } }, b] };
    expect(outlooksOf(nodes(loaded), comers, places).get('SEW')).toMatchObject({ headcount: 2, sigma: 1.5 });
    expect(outlooksOf(nodes(takenBack(loaded, ['a', 'a', 'a', 'b'])), comers, places).get('SEW')?.sigma).toBe(0);
  });
});
