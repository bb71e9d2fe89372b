type ShiftCode = 'morning' | 'evening' | 'night' | 'full';
type DayStatus = 'work' | 'overtime' | 'leave' | 'sick' | 'off';

/** An instant as a site sees it: the working day it belongs to, and the shift that is on; null between shifts. */
export interface LocalTime {
  readonly day: string;
  readonly shift: ShiftCode | null;
}

export interface RosterDay extends LocalTime {
  readonly shift: ShiftCode;
  readonly status: DayStatus;
}

/** What the people system says, and how far it is to be believed; null while it is off. */
type OutsideWord = RosterDay & { readonly freshness: 'FRESH' | 'STALE' | 'EXPIRED' };

/** All that bears on whether somebody is there. Instants are milliseconds. */
export interface Attendance {
  /** An active account that is an active member of an active team. */
  readonly isOperator: boolean;
  /** Approved leaves; one without an end is open. */
  readonly leaves: readonly { readonly from: number; readonly until: number | null }[];
  readonly override: { readonly isAvailable: boolean; readonly until: number | null } | null;
  readonly outside: readonly OutsideWord[];
  readonly roster: readonly RosterDay[];
}

export type Absence = 'inactive' | 'leave' | 'override' | 'sick' | 'off';
type AvailabilityNote = 'people_stale' | `not_enforced_${Absence}`;

export interface Availability {
  readonly available: boolean;
  readonly reason: Absence | null;
  /** When the reason ends, as far as it says so itself. */
  readonly until: number | null;
  readonly notes: readonly AvailabilityNote[];
}

const there: Availability = { available: true, reason: null, until: null, notes: [] };

/**
 * Whether somebody is there at an instant; the first fact that says something decides, and who is not spoken of is there.
 * Overrides and rosters are only noted while availability is not enforced; leave and an inactive account always hold.
 */
export function availabilityAt(known: Attendance, local: LocalTime, at: number, enforced: boolean): Availability {
  if (!known.isOperator) return away('inactive', null);
  const leave = known.leaves.find(({ from, until }) => from <= at && (until === null || at < until));
  if (leave) return away('leave', leave.until);
  const said = fromOverride(known.override, at) ?? fromRosters(known, local);
  if (enforced || said.reason === null) return said;
  return { ...there, notes: [...said.notes, `not_enforced_${said.reason}`] };
}

/**
 * The first of the moments, which are in order, at which somebody is there. Moments are those at which something can
 * change: ends of leaves and overrides, beginnings of shifts and days.
 */
export function firstAvailable(
  known: Attendance,
  moments: readonly (LocalTime & { readonly at: number })[],
  enforced: boolean,
): number | null {
  return moments.find((moment) => availabilityAt(known, moment, moment.at, enforced).available)?.at ?? null;
}

function fromOverride(override: Attendance['override'], at: number): Availability | undefined {
  if (!override || override.isAvailable) return undefined;
  if (override.until !== null && override.until <= at) return undefined;
  return away('override', override.until);
}

function fromRosters({ outside, roster }: Attendance, local: LocalTime): Availability {
  const word = ofShift(
    outside.filter(({ freshness }) => freshness !== 'EXPIRED'),
    local,
  );
  const row = word ?? ofShift(roster, local);
  if (!row) return there;
  const notes = word?.freshness === 'STALE' ? (['people_stale'] as const) : [];
  if (row.status === 'work' || row.status === 'overtime') return { ...there, notes };
  return { ...away(row.status, null), notes };
}

/** The row of the shift that is on, else that of the whole day. */
function ofShift<Row extends RosterDay>(rows: readonly Row[], { day, shift }: LocalTime): Row | undefined {
  const today = rows.filter((row) => row.day === day);
  return today.find((row) => row.shift === shift) ?? today.find((row) => row.shift === 'full');
}

function away(reason: Absence, until: number | null): Availability {
  return { available: false, reason, until, notes: [] };
}
