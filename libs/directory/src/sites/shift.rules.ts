export const shiftCodes = ['morning', 'evening', 'night', 'full'] as const;
export type ShiftCode = (typeof shiftCodes)[number];

/** Wall-clock times `HH:MM`; a shift whose end is not after its start ends on the next day. */
export interface ShiftTimes {
  readonly code: ShiftCode;
  readonly starts: string;
  readonly ends: string;
}

export const defaultShifts: readonly ShiftTimes[] = [
  { code: 'morning', starts: '06:00', ends: '14:00' },
  { code: 'evening', starts: '14:00', ends: '22:00' },
  { code: 'night', starts: '22:00', ends: '06:00' },
];

/** The first two shifts during which a person would be in both. `full` is the whole day beside the others, not one of them. */
export function overlap(shifts: readonly ShiftTimes[]): readonly [ShiftTimes, ShiftTimes] | undefined {
  const taken = new Map<number, ShiftTimes>();
  for (const shift of shifts) {
    if (shift.code === 'full') continue;
    for (const minute of minutesOf(shift)) {
      const other = taken.get(minute);
      if (other) return [other, shift];
      taken.set(minute, shift);
    }
  }
  return undefined;
}

const DAY = 24 * 60;

function minutesOf({ starts, ends }: ShiftTimes): number[] {
  const from = minute(starts);
  const length = (minute(ends) - from + DAY) % DAY || DAY;
  return Array.from({ length }, (_, step) => (from + step) % DAY);
}

function minute(time: string): number {
  const [hours, minutes] = time.split(':').map(Number);
  return (hours ?? 0) * 60 + (minutes ?? 0);
}
