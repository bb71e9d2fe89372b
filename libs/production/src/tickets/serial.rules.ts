import { createHmac } from 'node:crypto';
import type { JobLine } from './ticket.rules.js';

const lineCodes: Readonly<Record<JobLine, string>> = { atelier: 'ATL', oem: 'OEM', hybrid: 'HYB' };
const crockford = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ';

interface SerialParts {
  readonly prefix: string;
  readonly line: JobLine;
  /** As `skuOfSerial` makes it. */
  readonly sku: string;
  /** The local day of the site, YYYY-MM-DD. */
  readonly day: string;
  readonly seq: number;
}

/** The part of a SKU that a serial carries: its letters and digits in upper case; empty when there are none. */
export function skuOfSerial(sku: string): string {
  return sku.toUpperCase().replaceAll(/[^A-Z0-9]/g, '');
}

/**
 * A serial that can be typed in: four characters that only who has the key can make, and one that shows a slip of the
 * fingers. The number grows beyond five digits when it must.
 */
export function serialOf({ prefix, line, sku, day, seq }: SerialParts, key: string | Buffer): string {
  const number = String(seq).padStart(5, '0');
  const body = `${prefix}-${lineCodes[line]}-${sku}-${day.replaceAll('-', '')}-${number}`;
  const signed = `${body}-${hash4(body, key)}`;
  return `${signed}-${checkCharacter(signed.replaceAll('-', ''))}`;
}

/** Twenty bits. */
function hash4(text: string, key: string | Buffer): string {
  const bits = createHmac('sha256', key).update(text).digest().readUIntBE(0, 3) >>> 4;
  return [15, 10, 5, 0].map((shift) => crockford.charAt((bits >>> shift) & 31)).join('');
}

/** ISO 7064, MOD 37,36. */
function checkCharacter(text: string): string {
  let carried = 36;
  for (const character of text) {
    const sum = (carried + alphabet.indexOf(character)) % 36;
    carried = ((sum === 0 ? 36 : sum) * 2) % 37;
  }
  return alphabet.charAt((37 - carried) % 36);
}
