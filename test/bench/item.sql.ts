/** The two statements that Belay and the bare handler both run. */
export const readItem = 'SELECT id, code, title, quantity, created_at, row_version FROM bench.item WHERE id = $1';

export const insertItem = `INSERT INTO bench.item (code, title, quantity, created_by) VALUES ($1, $2, $3, $4)
  RETURNING id, code, title, quantity, created_at, row_version`;

export interface ItemRow {
  readonly id: string;
  readonly code: string;
  readonly title: string;
  readonly quantity: number;
  readonly created_at: Date;
  readonly row_version: number;
}
