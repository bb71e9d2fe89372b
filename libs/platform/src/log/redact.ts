import { stdSerializers } from 'pino';
import { databaseError } from '../database/violation.js';

export const REDACTED = '[redacted]';

const secretKey =
  /(authorization|cookies?|passw(or)?ds?|passphrase|token|secret|(api|private|secret|signing)[_-]?key)([_-]?hash)?$/i;
const secretText = /\b(Bearer|Basic) +[\w.~+/=-]+|\bbly_\w+|(?<=\/\/[^\s/:@]*:)[^\s/@]+(?=@)/g;
const deepest = 8;
const mostValues = 2_000;

/**
 * The same facts without anything that lets somebody in: values under the name of a secret at any depth, bearer tokens
 * and passwords of addresses inside texts, and what a failed statement says of the rows it was about. Answers the
 * original when there is nothing to hide.
 */
export function redact(facts: object): Record<string, unknown> {
  return redactObject(facts, { left: mostValues }, 0);
}

/** What of a text may be shown. */
export function redactText(text: string): string {
  return text.replaceAll(secretText, REDACTED);
}

interface Budget {
  left: number;
}

function redactValue(value: unknown, budget: Budget, depth: number): unknown {
  if (typeof value === 'string') return redactText(value);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  budget.left -= 1;
  if (depth > deepest || budget.left < 0) return '[cut]';
  if (value instanceof Error) return redactObject(shownOf(value), budget, depth);
  if (Array.isArray(value)) return value.map((item: unknown) => redactValue(item, budget, depth + 1));
  return redactObject(value, budget, depth);
}

function redactObject(object: object, budget: Budget, depth: number): Record<string, unknown> {
  const shown: Record<string, unknown> = {};
  for (const [key, value] of Object.entries<unknown>({ ...object })) {
    const hidden = value !== undefined && value !== null && secretKey.test(key);
    shown[key] = hidden ? REDACTED : redactValue(value, budget, depth + 1);
  }
  return shown;
}

const quotations = new Set(['detail', 'where', 'parameters', 'driverError']);

/** Of a failed statement neither its values nor PostgreSQL's quotations of rows are shown. */
function shownOf(error: Error): object {
  const shown = stdSerializers.err(error);
  if (!databaseError(error)) return shown;
  return Object.fromEntries(Object.entries(shown).filter(([key]) => !quotations.has(key)));
}
