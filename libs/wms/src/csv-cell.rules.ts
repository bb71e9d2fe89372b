// Spreadsheets run a cell that begins like this as a formula.
const formula = /^'*[=+\-@\t\r]/;

/** The text as a cell that no spreadsheet runs. Only for text: a negative number stays one. */
export function guardCell(text: string): string {
  return formula.test(text) ? `'${text}` : text;
}

/** What was guarded, as it was before: `unguardCell(guardCell(text))` is the text, whatever it is. */
export function unguardCell(cell: string): string {
  return cell.startsWith("'") && formula.test(cell) ? cell.slice(1) : cell;
}
