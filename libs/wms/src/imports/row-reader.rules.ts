import type { z } from 'zod';
import type { Column } from './csv-file.rules.js';
import type { ReadRow, RowCells } from './row-cells.rules.js';

/** What a reader may know beside the row. */
export interface Surroundings {
  /** Null for what belongs to no warehouse. */
  readonly warehouse: { readonly id: string; readonly code: string; readonly currency: string } | null;
}

export interface RowReader {
  readonly columns: readonly Column[];
  read(cells: RowCells, around: Surroundings): ReadRow;
}

/** The file is of one warehouse, and each row says so. */
export function ofWarehouse(cells: RowCells, column: string, { warehouse }: Surroundings): void {
  const code = cells.required(column);
  if (code === undefined || code.toUpperCase() === warehouse?.code.toUpperCase()) return;
  cells.error(column, 'other-warehouse', `must be ${warehouse?.code ?? 'empty'}: the file was uploaded for it`);
}

/** What the draft says of the row, by the rules of the API; columns are named as the file names them. */
export function drafted<Draft>(
  cells: RowCells,
  schema: z.ZodType<Draft>,
  draft: unknown,
  columnOf: Readonly<Record<string, string>>,
): Draft | undefined {
  if (cells.hasErrors) return undefined;
  const checked = schema.safeParse(draft);
  if (checked.success) return checked.data;
  for (const { path, message } of checked.error.issues) {
    const field = path.map(String).join('.');
    cells.error(columnOf[field] ?? columnOf[String(path[0])] ?? null, 'not-valid', message);
  }
  return undefined;
}
