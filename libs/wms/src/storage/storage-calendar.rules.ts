const DAY_MS = 86_400_000;

/** A billing period, both days included, as `YYYY-MM-DD`. */
export interface BillingPeriod {
  readonly start: string;
  readonly end: string;
}

/**
 * The day whose closing stock is billed for the given day: the first one, from it on, that is the weekday (1 is Monday).
 * Days are written `YYYY-MM-DD` and belong to no zone; which day an instant is on, only SQL says.
 */
export function snapshotDay(day: string, isodow = 1): string {
  const number = dayNumber(day);
  return dayOf(number + ((isodow - weekday(number) + 7) % 7));
}

/** The days billed between two days, both included. */
export function snapshotDays(from: string, through: string, isodow = 1): string[] {
  const last = dayNumber(through);
  const days: string[] = [];
  for (let number = dayNumber(snapshotDay(from, isodow)); number <= last; number += 7) days.push(dayOf(number));
  return days;
}

/** The last day of the week that a snapshot pays for. */
export function weekEnding(snapshot: string): string {
  return dayOf(dayNumber(snapshot) + 6);
}

/** The period that the day is in, when periods begin on the given day of each month, the 28th at the latest. */
export function billingPeriod(day: string, startDay: number): BillingPeriod {
  if (!Number.isInteger(startDay) || startDay < 1 || startDay > 28) {
    throw new RangeError(`Not every month has a day ${startDay}`);
  }
  const start = monthOf(dayNumber(day) - (startDay - 1), 0) + startDay - 1;
  const next = monthOf(start, 1) + startDay - 1;
  return { start: dayOf(start), end: dayOf(next - 1) };
}

/** The first day of the month the day is in, or of one so many months later. */
function monthOf(number: number, later: number): number {
  const date = new Date(number * DAY_MS);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + later, 1) / DAY_MS;
}

// Days without a zone are counted in UTC, where each has 24 hours.
function dayNumber(day: string): number {
  const number = /^\d{4}-\d{2}-\d{2}$/.test(day) ? Date.parse(`${day}T00:00:00Z`) / DAY_MS : Number.NaN;
  if (Number.isNaN(number) || dayOf(number) !== day) throw new RangeError(`${day} is not a day`);
  return number;
}

function dayOf(number: number): string {
  return new Date(number * DAY_MS).toISOString().slice(0, 10);
}

/** 1970-01-01 was a Thursday. */
function weekday(number: number): number {
  return ((((number + 3) % 7) + 7) % 7) + 1;
}
