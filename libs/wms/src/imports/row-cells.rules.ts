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

  error(column: string | null, code: string, detail: string): void {
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
    const text = this.text(column);
    if (text === undefined) this.error(column, 'empty', 'must not be empty');
    return text;
  }

  /** A whole number, zero or more. */
  whole(column: string): number | undefined {
    return this.read(column, 'not-a-number', 'is not a whole number, zero or more', (text) => {
      // Spreadsheets write whole numbers with decimals that say nothing.
      const digits = /^(\d{1,9})(\.0+)?$/.exec(text)?.[1];
      return digits === undefined ? undefined : Number(digits);
    });
  }

  /** A whole number, one or more. */
  count(column: string): number | undefined {
    const count = this.whole(column);
    if (count !== 0) return count;
    this.error(column, 'not-a-number', 'must be at least 1');
    return undefined;
  }

  /** A plain decimal number, as text. */
  decimal(column: string): string | undefined {
    return this.read(column, 'not-a-number', 'is not a plain decimal number such as 3.90', (text) =>
      /^-?\d{1,14}(\.\d{1,6})?$/.test(text) ? text : undefined,
    );
  }

  day(column: string): string | undefined {
    const text = this.text(column);
    return text === undefined ? undefined : this.dayOf(column, text);
  }

  /** A day with or without a time of day; without, its beginning. */
  time(column: string): RowTime | undefined {
    const text = this.required(column);
    if (text === undefined) return undefined;
    const serial = /^(\d{5,6})\.(\d{1,15})$/.exec(text);
    const [day = '', clock = ''] = serial ? [serial[1], clockOf(serial[2] ?? '')] : text.split(/[T ]+(.*)/s, 2);
    const on = this.dayOf(column, day);
    if (on === undefined) return undefined;
    const time = /^(\d{2}):(\d{2})(?::(\d{2})(\.\d{1,6})?)? ?(Z|[+-]\d{2}:\d{2})?$/.exec(
      clock === '' ? '00:00' : clock,
    );
    const [, hours = '', minutes = '', seconds = '00', fraction = '', zone = ''] = time ?? [];
    if (!time || Number(hours) > 23 || Number(minutes) > 59 || Number(seconds) > 59) {
      this.error(column, 'not-a-time', `${quoted(text)} is no time such as 2025-01-31 09:30`);
      return undefined;
    }
    return { text: `${on}T${hours}:${minutes}:${seconds}${fraction}${zone}`, isLocal: zone === '' };
  }

  oneOf<Word extends string>(column: string, words: readonly Word[]): Word | undefined {
    return this.read(column, 'not-known', `is none of ${words.join(', ')}`, (text) =>
      words.find((one) => wordKey(one) === wordKey(text)),
    );
  }

  yesOrNo(column: string): boolean | undefined {
    const word = this.oneOf(column, ['yes', 'no', 'true', 'false', '1', '0']);
    return word === undefined ? undefined : ['yes', 'true', '1'].includes(word);
  }

  /** A measure in a unit that is ten to the `shift` of ours, as a whole number of ours. */
  scaled(column: string, shift: number): number | undefined {
    return this.read(column, 'not-a-number', 'is not a number, zero or more', (text) =>
      this.measure(column, text, shift),
    );
  }

  /** Length, width and height in centimetres, as millimetres. */
  sizes(column: string): readonly [number, number, number] | undefined {
    return this.read(column, 'not-a-size', 'is no size such as 40x28x29.5', (text) => {
      const [length, width, height, ...more] = text
        .split(/\s*[xX×*]\s*/)
        .map((part) => this.measure(column, part.trim(), 1));
      const isWhole = length !== undefined && width !== undefined && height !== undefined && more.length === 0;
      return isWhole ? [length, width, height] : undefined;
    });
  }

  /** What is made of the cell; when nothing is, the cell and what is wrong with it are told. */
  private read<Value>(
    column: string,
    code: string,
    fault: string,
    make: (text: string) => Value | undefined,
  ): Value | undefined {
    const text = this.text(column);
    if (text === undefined) return undefined;
    const value = make(text);
    if (value === undefined) this.error(column, code, `${quoted(text)} ${fault}`);
    return value;
  }

  private dayOf(column: string, text: string): string | undefined {
    const day = dayOfCell(text, this.order);
    if ('day' in day) return day.day;
    this.error(column, faultOf(text), day.fault);
    return undefined;
  }

  private measure(column: string, text: string, shift: number): number | undefined {
    const parts = /^(\d{1,6})(?:[.,](\d{1,6}))?$/.exec(text);
    if (!parts) return undefined;
    const [, whole = '', fraction = ''] = parts;
    const padded = fraction.padEnd(shift, '0');
    const kept = Number(whole + padded.slice(0, shift));
    if (!/[1-9]/.test(padded.slice(shift))) return kept;
    this.warn(column, 'rounded', `${text} is finer than is kept, and was rounded`);
    return kept + (Number(padded.charAt(shift)) >= 5 ? 1 : 0);
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
