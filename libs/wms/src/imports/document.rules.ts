import type { Document } from './importer.service.js';
import type { StagedDocument, StagedRow } from './import.queries.js';

const MOST_ROWS_AT_ONCE = 1_000;

/** The documents with their rows, in their order; a thousand rows or one document are held at a time. */
export async function* inPortions(
  documents: readonly StagedDocument[],
  read: (some: readonly StagedDocument[]) => Promise<StagedRow[]>,
): AsyncGenerator<Document[]> {
  for (const some of portions(documents)) {
    const lines = new Map<string, StagedRow[]>(some.map(({ document }) => [document, []]));
    for (const line of await read(some)) lines.get(line.document)?.push(line);
    yield some.map((one) => ({ ...one, lines: lines.get(one.document) ?? [] }));
  }
}

function* portions(documents: readonly StagedDocument[]): Generator<StagedDocument[]> {
  let some: StagedDocument[] = [];
  let rows = 0;
  for (const document of documents) {
    if (rows > 0 && rows + document.rows > MOST_ROWS_AT_ONCE) {
      yield some;
      [some, rows] = [[], 0];
    }
    some.push(document);
    rows += document.rows;
  }
  if (some.length > 0) yield some;
}

/** Documents beside each other that are committed together: those that stand alone are by themselves. */
export function together(documents: readonly Document[], isAlone: (document: Document) => boolean): Document[][] {
  const runs: Document[][] = [];
  let open: Document[] | undefined;
  for (const document of documents) {
    if (isAlone(document)) {
      runs.push([document]);
      open = undefined;
    } else if (open) {
      open.push(document);
    } else {
      open = [document];
      runs.push(open);
    }
  }
  return runs;
}
