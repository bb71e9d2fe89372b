/** Everything that a spreadsheet may do to the name of a column is undone. */
function columnKey(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
}

export interface Column {
  /** As it is named in reports. */
  readonly name: string;
  /** Other names that mean the same. */
  readonly also?: readonly string[];
  readonly required?: true;
}

export interface Header {
  /** Where each known column stands in the file, by its name. */
  readonly places: ReadonlyMap<string, number>;
  readonly missing: readonly string[];
  readonly repeated: readonly string[];
  readonly ignored: readonly string[];
}

export function headerOf(cells: readonly string[], columns: readonly Column[]): Header {
  const known = new Map(columns.flatMap(({ name, also = [] }) => [name, ...also].map((one) => [columnKey(one), name])));
  const places = new Map<string, number>();
  const repeated: string[] = [];
  const ignored: string[] = [];
  for (const [place, cell] of cells.entries()) {
    const name = known.get(columnKey(cell));
    if (name === undefined) ignored.push(cell.trim());
    else if (places.has(name)) repeated.push(name);
    else places.set(name, place);
  }
  const missing = columns.filter(({ name, required }) => required && !places.has(name)).map(({ name }) => name);
  return { places, missing, repeated, ignored: ignored.filter((name) => name !== '') };
}

/** Comma or semicolon, whichever the first line has more of outside of quotes. */
export function delimiterOf(start: string): ',' | ';' {
  let [commas, semicolons, isQuoted] = [0, 0, false];
  for (const sign of start) {
    if (sign === '"') isQuoted = !isQuoted;
    if (isQuoted) continue;
    if (sign === '\n') break;
    if (sign === ',') commas += 1;
    if (sign === ';') semicolons += 1;
  }
  return semicolons > commas ? ';' : ',';
}
