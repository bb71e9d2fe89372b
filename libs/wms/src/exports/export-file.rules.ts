import { guardCell } from '../csv-cell.rules.js';

/** One column of a file. Text may be anything and is guarded; figures, days and times are what they are. */
export interface ExportColumn {
  readonly name: string;
  /** An expression that is text, or null. */
  readonly sql: string;
  readonly isText?: true;
}

/** A line of RFC 4180. */
export function csvLine(cells: readonly string[]): string {
  return `${cells.map((cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(',')}\r\n`;
}

export function csvRow(columns: readonly ExportColumn[], cells: readonly (string | null)[]): string {
  return csvLine(columns.map(({ isText }, place) => (isText ? guardCell(cells[place] ?? '') : (cells[place] ?? ''))));
}
