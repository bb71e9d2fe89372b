import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { arrivalsOf, limitAfter, reasonToQueue, vacancies } from './limit.rules.js';

const none = { concurrency: null, wip: null, queue: null };
const empty = { started: 0, admitted: 0, waiting: 0, queued: 0 };
const many = (count: number) => Array.from({ length: count }, () => false);

describe('limits', () => {
  it('look at those who work first: three of three work, five wait', () => {
    const limits = { ...none, concurrency: 3, wip: 10 };
    const [arrival] = arrivalsOf(limits, { started: 3, admitted: 3, waiting: 5, queued: 5 }, many(1));
    expect(arrival).toEqual({ verdict: 'queued', reason: 'CONCURRENCY_LIMIT', behind: false });
  });

  it('let the tenth in and not the eleventh', () => {
    const verdicts = arrivalsOf({ ...none, wip: 10 }, { ...empty, admitted: 9 }, many(2));
    expect(verdicts).toEqual([
      { verdict: 'admitted', reason: null, behind: false },
      { verdict: 'queued', reason: 'WIP_LIMIT', behind: false },
    ]);
  });

  it('are what a queue is for: the first one that there is', () => {
    expect(reasonToQueue({ ...none, concurrency: 3, wip: 10 })).toBe('CONCURRENCY_LIMIT');
    expect(reasonToQueue({ ...none, wip: 10, queue: 5 })).toBe('WIP_LIMIT');
    expect(reasonToQueue({ ...none, queue: 5 })).toBeNull();
  });

  it('keep out whoever comes after as many as there are places, by the one that is full first', () => {
    const limits = { ...none, concurrency: 3, wip: 10 };
    const now = { ...empty, started: 1, admitted: 7 };
    expect([0, 1, 2].map((before) => limitAfter(limits, now, before))).toEqual([null, null, 'CONCURRENCY_LIMIT']);
    const crowded = { ...now, admitted: 9 };
    expect([0, 1, 2].map((before) => limitAfter(limits, crowded, before))).toEqual([
      null,
      'WIP_LIMIT',
      'CONCURRENCY_LIMIT',
    ]);
    expect(limitAfter(none, crowded, 1_000)).toBeNull();
  });

  it('send back what has no room in the queue either', () => {
    const verdicts = arrivalsOf({ ...none, wip: 1, queue: 2 }, { ...empty, admitted: 1 }, many(3));
    expect(verdicts.map(({ verdict }) => verdict)).toEqual(['queued', 'queued', 'full']);
  });

  it('make room in the queue for what cannot stay where it was', () => {
    const verdicts = arrivalsOf({ ...none, wip: 1, queue: 1 }, { ...empty, admitted: 1, waiting: 1 }, [false, true]);
    expect(verdicts.map(({ verdict }) => verdict)).toEqual(['full', 'queued']);
  });

  it('let nobody in before those who wait for the limit, but before those who wait for people', () => {
    const limits = { ...none, wip: 5 };
    const occupancy = { started: 0, admitted: 3, waiting: 2, queued: 1 };
    expect(arrivalsOf(limits, occupancy, many(1))).toEqual([{ verdict: 'queued', reason: 'WIP_LIMIT', behind: true }]);
    const [admitted] = arrivalsOf(limits, { ...occupancy, queued: 0 }, many(1));
    expect(admitted).toEqual({ verdict: 'admitted', reason: null, behind: false });
  });

  it('hold nobody back where there are none', () => {
    const verdicts = arrivalsOf(none, { started: 500, admitted: 500, waiting: 0, queued: 0 }, many(500));
    expect(new Set(verdicts.map(({ verdict }) => verdict))).toEqual(new Set(['admitted']));
  });

  it('have as many vacancies as the tighter one leaves', () => {
    const occupancy = { started: 1, admitted: 8, waiting: 4, queued: 4 };
    expect(vacancies({ ...none, concurrency: 3, wip: 9 }, occupancy)).toBe(1);
    expect(vacancies({ ...none, concurrency: 3 }, occupancy)).toBe(2);
    expect(vacancies({ ...none, concurrency: 1 }, occupancy)).toBe(0);
    expect(vacancies({ ...none, wip: 5 }, occupancy)).toBe(0);
    expect(vacancies(none, occupancy)).toBe(Infinity);
  });

  it('are never overrun by whoever arrives, and a queue only by what has no other place', () => {
    const upTo = (max: number) => fc.option(fc.nat(max));
    const few = fc.nat(12);
    const occupancies = fc
      .record({ started: few, admitted: few, waiting: few })
      .chain((now) => fc.nat(now.waiting).map((queued) => ({ ...now, queued })));
    const limited = fc.record({ concurrency: upTo(8), wip: upTo(12), queue: upTo(12) });
    fc.assert(
      fc.property(limited, occupancies, fc.array(fc.boolean(), { maxLength: 30 }), (limits, before, arrivals) => {
        const verdicts = arrivalsOf(limits, before, arrivals);
        const admitted = verdicts.filter(({ verdict }) => verdict === 'admitted').length;
        const patient = verdicts.filter(({ verdict }, n) => verdict === 'queued' && arrivals[n] === false).length;
        expect(verdicts).toHaveLength(arrivals.length);
        if (limits.wip !== null) expect(admitted).toBeLessThanOrEqual(Math.max(0, limits.wip - before.admitted));
        if (limits.queue !== null) expect(patient).toBeLessThanOrEqual(Math.max(0, limits.queue - before.waiting));
        // Whoever comes later is never let in before somebody who waits for the same limit.
        const firstQueued = verdicts.findIndex(({ verdict }) => verdict === 'queued');
        const lastAdmitted = verdicts.findLastIndex(({ verdict }) => verdict === 'admitted');
        if (firstQueued >= 0) expect(lastAdmitted).toBeLessThan(firstQueued);
      }),
      { numRuns: 2_000 },
    );
  });
});
