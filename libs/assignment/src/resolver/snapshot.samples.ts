import type { Work } from './load.rules.js';
import type { KnownMember, KnownNode, KnownOperator, KnownTeam, Snapshot } from './snapshot.rules.js';

export const now = Date.parse('2025-11-20T12:00:00Z');
export const idle: Work = { open: 0, sessions: 0, lastDay: 0, minutes: 0, pieces: 0, serials: 0 };
export const sewing: KnownNode = {
  id: 'node',
  graphId: 'graph',
  code: 'SEW',
  productionMode: 'atelier',
  teamCategory: 'sewing',
  workCenterId: null,
  assignmentPolicy: 'AUTO',
  preferredTeamId: null,
  allowedTeamIds: [],
  forbiddenTeamIds: [],
  allowTrainee: false,
  requiredSkills: [],
  estimatedMinutes: 6,
  estimateBasis: 'unit',
};

export type Person = Partial<Pick<KnownOperator, 'skills' | 'cycleMinutes' | 'lastAssignedAt'>> &
  Partial<Pick<KnownMember, 'role' | 'capacityPerDay' | 'sortPriority' | 'active' | 'today'>> & {
    readonly open?: number;
    /** On leave until then. */
    readonly leave?: number;
    readonly off?: boolean;
  };

export const team = (id: string, facts: Partial<KnownTeam> = {}): KnownTeam => ({
  id,
  siteId: 'site',
  category: 'sewing',
  productionMode: 'hybrid',
  loadMode: 'count',
  pull: false,
  active: true,
  closed: false,
  local: { day: '2025-11-20', shift: 'morning' },
  date: '2025-11-20',
  lastOperatorId: null,
  unclaimed: 0,
  ...facts,
});

/** People by team, who may be in several. */
export function floor(
  people: Readonly<Record<string, Readonly<Record<string, Person>>>>,
  facts: Partial<Snapshot> = {},
): Snapshot {
  const members = Object.entries(people).flatMap(([teamId, those]) =>
    Object.entries(those).map(([operatorId, person]): KnownMember => {
      const { role = 'member', capacityPerDay = 100, sortPriority = 50, active = true, today = 0 } = person;
      return { teamId, operatorId, role, capacityPerDay, sortPriority, active, today };
    }),
  );
  const persons = new Map(Object.values(people).flatMap((those) => Object.entries(those)));
  const operators = [...persons].map(([id, person]): KnownOperator => ({
    id,
    attendance: {
      isOperator: person.active ?? true,
      leaves: person.leave === undefined ? [] : [{ from: 0, until: person.leave }],
      override: null,
      outside: [],
      roster: person.off === true ? [{ day: '2025-11-20', shift: 'full', status: 'off' }] : [],
    },
    skills: person.skills ?? [],
    work: { ...idle, open: person.open ?? 0 },
    cycleMinutes: person.cycleMinutes ?? null,
    lastAssignedAt: person.lastAssignedAt ?? null,
  }));
  return {
    at: now,
    node: sewing,
    operable: true,
    enforced: true,
    generalFallback: false,
    rules: [],
    teams: Object.keys(people).map((id) => team(id)),
    members,
    operators,
    oemJobs: new Set(),
    ...facts,
  };
}
