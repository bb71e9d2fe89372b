import { dayOfCell, type DayOrder } from '../csv-day.rules.js';

export interface RowIssue {
  readonly severity: 'warning' | 'error';
  /** Null when it is about the whole row. */
  readonly column: string | null;
  readonly code: string;
  readonly detail: string;
}

/** A time as the file gives it: an instant, or what the clock of the warehouse showed. */
export interface RowTime {
  readonly text: string;
  readonly isLocal: boolean;
}

/** What one row of a file says. */
export interface ReadRow {
  /** Rows of one document are committed together, or not at all. */
  readonly document: string;
  readonly time?: RowTime | undefined;
  /** Null when the row has errors. */
  readonly facts: Readonly<Record<string, unknown>> | null;
  readonly issues: readonly RowIssue[];
}

const DAY_SECONDS = 86_400;

/** The cells of one row by their columns. What is wrong with them is collected, so that a report names all of it. */
export class RowCells {
  readonly #issues: RowIssue[] = [];

  constructor(
    private readonly cells: ReadonlyMap<string, string>,
    private readonly order?: DayOrder,
  ) {}

  get issues(): readonly RowIssue[] {
    return this.#issues;
  }

  get hasErrors(): boolean {
    return this.#issues.some(({ severity }) => severity === 'error');
  }

  error(column: string | null, code: string, detail: string): undefined {
    this.#issues.push({ severity: 'error', column, code, detail });
  }

  warn(column: string | null, code: string, detail: string): void {
    this.#issues.push({ severity: 'warning', column, code, detail });
  }

  /** Undefined for a cell that is empty or not there. */
  text(column: string): string | undefined {
    const text = this.cells.get(column)?.trim() ?? '';
    return text === '' ? undefined : text;
  }

  required(column: string): string | undefined {
    return this.text(column) ?? this.error(column, 'empty', 'must not be empty');
  }

  /** A whole number, zero or more. */
  whole(column: string): number | undefined {
    const text = this.text(column);
    if (text === undefined) return undefined;
    // Spreadsheets write whole numbers with decimals that say nothing.
    const digits = /^(\d{1,9})(\.0+)?$/.exec(text)?.[1];
    return digits === undefined
      ? this.error(column, 'not-a-number', `${quoted(text)} is not a whole number, zero or more`)
      : Number(digits);
  }

  /** A whole number, one or more. */
  count(column: string): number | undefined {
    const count = this.whole(column);
    return count === 0 ? this.error(column, 'not-a-number', 'must be at least 1') : count;
  }

  /** A plain decimal number, as text. */
  decimal(column: string): string | undefined {
    const text = this.text(column);
    if (text === undefined || /^-?\d{1,14}(\.\d{1,6})?$/.test(text)) return text;
    return this.error(column, 'not-a-number', `${quoted(text)} is not a plain decimal number such as 3.90`);
  }

  day(column: string): string | undefined {
    const text = this.text(column);
    if (text === undefined) return undefined;
    const day = dayOfCell(text, this.order);
    return 'day' in day ? day.day : this.error(column, faultOf(text), day.fault);
  }

  /** A day with or without a time of day; without, its beginning. */
  time(column: string): RowTime | undefined {
    const text = this.required(column);
    if (text === undefined) return undefined;
    const serial = /^(\d{5,6})\.(\d{1,15})$/.exec(text);
    const [day = '', clock = ''] = serial
      ? [serial[1], clockOf(serial[2] ?? '')]
      : text.split(/[T ]+(.*)/s, 2);
    const on = dayOfCell(day, this.order);
    if ('fault' in on) return this.error(column, faultOf(day), on.fault);
    const time = /^(\d{2}):(\d{2})(?::(\d{2})(\.\d{1,6})?)? ?(Z|[+-]\d{2}:\d{2})?$/.exec(clock === '' ? '00:00' : clock);
    if (!time || Number(time[1]) > 23 || Number(time[2]) > 59 || Number(time[3] ?? '0') > 59) {
      return this.error(column, 'not-a-time', `${quoted(text)} is no time such as 2025-01-31 09:30`);
    }
    const [, hours, minutes, seconds = '00', fraction = '', zone = ''] = time;
    return { text: `${on.day}T${hours}:${minutes}:${seconds}${fraction}${zone}`, isLocal: zone === '' };
  }

  oneOf<Word extends string>(column: string, words: readonly Word[]): Word | undefined {
    const text = this.text(column);
    if (text === undefined) return undefined;
    const key = wordKey(text);
    const word = words.find((one) => wordKey(one) === key);
    return word ?? this.error(column, 'not-known', `${quoted(text)} is none of ${words.join(', ')}`);
  }

  yesOrNo(column: string): boolean | undefined {
    const word = this.oneOf(column, ['yes', 'no', 'true', 'false', '1', '0']);
    return word === undefined ? undefined : ['yes', 'true', '1'].includes(word);
  }

  /** A measure in a unit that is ten to the `shift` of ours, as a whole number of ours. */
  scaled(column: string, shift: number): number | undefined {
    const text = this.text(column);
    return text === undefined ? undefined : this.measure(column, text, shift);
  }

  /** Length, width and height in centimetres, as millimetres. */
  sizes(column: string): readonly [number, number, number] | undefined {
    const text = this.text(column);
    if (text === undefined) return undefined;
    const parts = text.split(/\s*[xX×*]\s*/).map((part) => this.measure(column, part, 1));
    const [length, width, height, ...more] = parts;
    if (length === undefined || width === undefined || height === undefined || more.length > 0) {
      return this.hasErrorIn(column) ? undefined : this.error(column, 'not-a-size', `${quoted(text)} is no size such as 40x28x29.5`);
    }
    return [length, width, height];
  }

  private measure(column: string, text: string, shift: number): number | undefined {
    const parts = /^(\d{1,6})(?:[.,](\d{1,6}))?$/.exec(text.trim());
    if (!parts) return this.error(column, 'not-a-number', `${quoted(text)} is not a number, zero or more`);
    const [, whole = '', fraction = ''] = parts;
    const padded = fraction.padEnd(shift, '0');
    const kept = Number(whole + padded.slice(0, shift));
    if (!/[1-9]/.test(padded.slice(shift))) return kept;
    this.warn(column, 'rounded', `${text.trim()} is finer than is kept, and was rounded`);
    return kept + (Number(padded.charAt(shift)) >= 5 ? 1 : 0);
  }

  private hasErrorIn(column: string): boolean {
    return this.#issues.some((issue) => issue.column === column && issue.severity === 'error');
  }
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}

function wordKey(word: string): string {
  return word.toLowerCase().replaceAll(/[\s_-]+/g, ' ');
}

function faultOf(text: string): string {
  return /^\d{1,2}[./-]\d{1,2}[./-]\d{4}$/.test(text) ? 'ambiguous-date' : 'not-a-date';
}

/** The time of day that a spreadsheet keeps as a fraction of the day, to the second. */
function clockOf(fraction: string): string {
  const scale = 10n ** BigInt(fraction.length);
  const seconds = Number((BigInt(fraction) * BigInt(DAY_SECONDS) * 2n + scale) / (2n * scale));
  const within = Math.min(seconds, DAY_SECONDS - 1);
  const part = (of: number) => String(of).padStart(2, '0');
  return `${part(Math.floor(within / 3_600))}:${part(Math.floor(within / 60) % 60)}:${part(within % 60)}`;
}
