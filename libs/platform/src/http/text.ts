/** Whether PostgreSQL can store it as text: neither a NUL character nor half a surrogate pair is in it. */
export function isText(value: string): boolean {
  return value.isWellFormed() && !value.includes('\0');
}

/** One segment of a JSON pointer. */
export function pointerSegment(key: PropertyKey): string {
  return String(key).replaceAll('~', '~0').replaceAll('/', '~1');
}
