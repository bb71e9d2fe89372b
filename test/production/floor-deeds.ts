import fc from 'fast-check';

const nth = fc.nat(11);
const codes = ['CUT', 'BODY', 'STRAP', 'SEW', 'QC', 'PRESS', 'PACK'] as const;

/** What operators try. Most of it is plain work, so that things get on; the rest gets in the way. */
const work = [
  { weight: 24, arbitrary: fc.record({ do: fc.constant('work' as const), nth, passes: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('tap twice' as const), nth }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('start' as const), nth, mode: fc.constantFrom('own', 'assist', 'replace') }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('pause' as const, 'resume' as const), nth }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('complete' as const, 'claim' as const), nth }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('judge' as const), nth, passes: fc.boolean(), recut: fc.boolean() }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('answer' as const),
      nth,
      how: fc.constantFrom('accept', 'reject', 'cancel'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wake' as const) }) },
];

/** What supervisors do beside that; operators try it as well, in vain. */
const leading = [
  { weight: 2, arbitrary: fc.record({ do: fc.constant('assign' as const), nth, to: fc.nat(5) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('override' as const),
      nth,
      to: fc.nat(4),
      type: fc.constantFrom('reassign', 'handoff', 'help'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('hold' as const, 'release' as const), nth }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('scrap' as const, 'replace' as const), nth }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('move' as const), nth, to: fc.constantFrom(...codes) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('adjust' as const), nth, priority: fc.integer({ min: -5, max: 5 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('job' as const),
      nth,
      how: fc.constantFrom('pause', 'resume', 'resume', 'start', 'cancel', 'restart', 'restart'),
    }),
  },
];
const workDeed = fc.oneof(...work, { weight: 2, arbitrary: fc.oneof(...leading) });
const leadDeed = fc.oneof(...leading, { weight: 4, arbitrary: fc.oneof(...work) });
const perActor = 6;

/** What each of eight does, one after the other: six who work and two who lead. */
export const scripts = fc.tuple(
  ...[...Array.from({ length: 6 }, () => workDeed), leadDeed, leadDeed].map((deed) =>
    fc.array(deed, { minLength: perActor, maxLength: perActor }),
  ),
);
export type Deed = typeof workDeed extends fc.Arbitrary<infer Value> ? Value : never;
