/** Which number of a date such as 03/04/2025 is the day. */
export type DayOrder = 'DMY' | 'MDY';

// Excel counts 1900 as a leap year, so its days are right from 1 March 1900 on.
const FIRST_SERIAL = 61;
const LAST_SERIAL = 2_958_465;
const EXCEL_EPOCH = Date.UTC(1899, 11, 30);
const DAY_MS = 86_400_000;

/** The day that a cell of a spreadsheet means, as an ISO date: ISO dates and Excel's serial numbers, others by their order. */
export function dayOfCell(cell: string, order?: DayOrder): { readonly day: string } | { readonly fault: string } {
  const iso = /^(\d{4})-(\d{2})-(\d{2})$/.exec(cell);
  if (iso) return dayOf(cell, iso[1], iso[2], iso[3]);

  const serial = /^\d{2,7}$/.test(cell) ? Number(cell) : 0;
  if (serial >= FIRST_SERIAL && serial <= LAST_SERIAL) {
    return { day: new Date(EXCEL_EPOCH + serial * DAY_MS).toISOString().slice(0, 10) };
  }

  const written = /^(\d{1,2})[./-](\d{1,2})[./-](\d{4})$/.exec(cell);
  if (!written) return { fault: `${JSON.stringify(cell)} is no date such as 2025-01-31` };
  const [, one, other, year] = written;
  if (order === undefined) return { fault: `${cell} may mean two days: say whether dates are DMY or MDY` };
  return order === 'DMY' ? dayOf(cell, year, other, one) : dayOf(cell, year, one, other);
}

function dayOf(cell: string, year = '', month = '', day = ''): { day: string } | { fault: string } {
  const iso = `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`;
  const at = Date.parse(iso);
  // A day that the month does not have would be read as one of the next.
  if (Number.isNaN(at) || new Date(at).toISOString().slice(0, 10) !== iso)
    return { fault: `${cell} is no day there is` };
  return { day: iso };
}
