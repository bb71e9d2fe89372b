const MOST_BYTES = 32 * 1024;
const MOST_LEVELS = 5;
const MOST_KEYS = 50;
const LONGEST_TEXT = 1_024;

/** Why the value is more than a field of a design may hold; null when it is not. */
export function excessOf(value: unknown): string | null {
  const inside = excessWithin(value, 1);
  if (inside !== null) return inside;
  const bytes = Buffer.byteLength(JSON.stringify(value ?? null));
  return bytes > MOST_BYTES ? `must not be larger than ${MOST_BYTES} bytes` : null;
}

function excessWithin(value: unknown, level: number): string | null {
  if (typeof value === 'string') return longText(value);
  if (typeof value !== 'object' || value === null) return null;
  if (level > MOST_LEVELS) return `must not be nested more than ${MOST_LEVELS} levels`;
  const names = Array.isArray(value) ? [] : Object.keys(value);
  const held: unknown[] = Object.values(value);
  if (names.length > MOST_KEYS) return `must not have more than ${MOST_KEYS} fields`;
  for (const one of [...names, ...held]) {
    const excess = excessWithin(one, level + 1);
    if (excess !== null) return excess;
  }
  return null;
}

function longText(text: string): string | null {
  return text.length > LONGEST_TEXT ? `must not hold texts of more than ${LONGEST_TEXT} characters` : null;
}
