interface LotDates {
  readonly manufacturedOn?: string | null | undefined;
  readonly bestBeforeOn?: string | null | undefined;
  readonly expiresOn?: string | null | undefined;
}

/** Whether the days that are known follow each other: made, best before, expired. */
export function datesAreInOrder({ manufacturedOn, bestBeforeOn, expiresOn }: LotDates): boolean {
  const known = [manufacturedOn, bestBeforeOn, expiresOn].filter((day) => day != null);
  return known.join() === known.toSorted().join();
}
