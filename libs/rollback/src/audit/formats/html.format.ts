import { z } from 'zod';
import { actorIn, wordsOf, type ExportFormatter } from '../export-format.js';

const style = `body{font:13px/1.4 system-ui;margin:2em}table{border-collapse:collapse;width:100%}
td,th{border:1px solid #ccc;padding:.2em .5em;text-align:left;vertical-align:top}th{position:sticky;top:0;background:#eee}
code{font-size:11px;word-break:break-all}@media print{th{position:static}}`;
const heads = ['', 'When', 'Who', 'What', 'Of what', 'Why', 'Outcome', 'Hash'];

/** A page to be read and printed; nothing is fetched for it. */
export const html: ExportFormatter = {
  mediaType: 'text/html; charset=utf-8',
  extension: 'html',
  begin: ({ environment, from, to, head, exportedAt, exportedBy }) =>
    `<!doctype html><html lang="en"><meta charset="utf-8"><title>Audit trail</title><style>${style}</style>
<h1>Audit trail of ${escape(environment)}</h1>
<p>Entries ${from ?? 1} to ${to ?? head?.seq ?? 0}, exported ${escape(exportedAt)} by ${escape(exportedBy)}.
The trail ended with entry ${head?.seq ?? 0}, <code>${head?.hash ?? ''}</code>.</p>
<table><thead><tr>${heads.map((name) => `<th>${name}</th>`).join('')}</tr></thead><tbody>
`,
  entry({ entry, hash }) {
    const { id, role } = actorIn(entry);
    const cells = [
      String(entry.seq),
      entry.at,
      role === null ? id : `${id} (${role})`,
      wordsOf(entry.action),
      wordsOf(entry.subject),
      wordsOf(entry.reason),
      wordsOf(entry.outcome),
    ];
    const told = cells.map((text) => `<td>${escape(text)}</td>`).join('');
    return `<tr>${told}<td><code>${hash.toString('hex')}</code></td></tr>\n`;
  },
  // A comment ends with the first of its marks, wherever that stands.
  end: (seal) => `</tbody></table><!-- belay-seal ${JSON.stringify(seal).replaceAll('>', '\\u003e')} -->\n`,
  sealIn(line) {
    const seal: unknown = JSON.parse(z.string().parse(/<!-- belay-seal (\{.*\}) -->$/.exec(line)?.[1]));
    return seal;
  },
};

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function escape(text: string): string {
  return text.replaceAll(/[&<>"]/g, (character) => entities[character] ?? character).replaceAll(/[\r\n]+/g, ' ');
}
