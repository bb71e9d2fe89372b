import { basename } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { contentOf, inChunks } from './csv-text.js';
import { ImportClient, type ImportIssue, type ImportState } from './import-client.js';
import type { Layout, LayoutKind } from './layout.js';
import { layouts } from './layouts.js';

const kinds = ['sku_master', 'warehouse_config', 'cost_master', 'inventory_ledger', 'invoice'];
const layoutKinds: readonly LayoutKind[] = ['sku_master', 'warehouse_config', 'inventory_ledger'];

interface ImportFlags {
  readonly kind: string;
  readonly warehouse?: string;
  readonly dates?: string;
  readonly opening?: string;
  readonly layout?: string;
  readonly month?: string;
  readonly check?: boolean;
  readonly skipErrors?: boolean;
  readonly url: string;
  readonly token: string;
}

/** `belay wms import <file>`; `print` takes what is to be told. */
export function wmsCommand(print: (text: string) => void = (text) => process.stdout.write(text)): Command {
  const wms = new Command('wms').description('brings files to the warehouse of a running Belay');
  wms
    .command('import')
    .description('uploads a CSV file, tells what is wrong with it, and commits it')
    .argument('<file>', 'which may be compressed (.gz); for some layouts a folder')
    .addOption(new Option('--kind <kind>', 'what the file is').choices(kinds).makeOptionMandatory())
    .option('--warehouse <code>', 'whose file it is; not for sku_master')
    .addOption(new Option('--dates <order>', 'how dates such as 03/04/2025 are meant').choices(['DMY', 'MDY']))
    .addOption(
      new Option('--opening <how>', 'least: the opening stock that the ledger needs is posted first').choices([
        'least',
      ]),
    )
    .addOption(new Option('--layout <name>', 'the file has the shape of somebody else').choices(Object.keys(layouts)))
    .addOption(new Option('--month <month>', 'of a layout: only what happened in it').argParser(monthOf))
    .option('--check', 'only tell what is wrong')
    .option('--skip-errors', 'commit what has no errors; else everything or nothing')
    .option('--url <url>', 'of the API', 'http://127.0.0.1:3000')
    .addOption(
      new Option('--token <token>', 'an access token or an API token (bly_…)').env('BELAY_TOKEN').makeOptionMandatory(),
    )
    .action((file: string, flags: ImportFlags) => importFile(file, flags, print));
  return wms;
}

async function importFile(file: string, flags: ImportFlags, print: (text: string) => void): Promise<void> {
  const client = new ImportClient(flags.url, flags.token);
  const { kind, warehouse, dates, opening, month } = flags;
  const fileName = [basename(file), ...(month === undefined ? [] : [month])].join(' ');
  const given = new Map<string, string | undefined>(Object.entries({ kind, warehouse, dates, opening, fileName }));
  const options: Record<string, string> = {};
  for (const [name, value] of given) if (value !== undefined) options[name] = value;
  const began = performance.now();
  const uploaded = await client.upload(options, await contents(file, flags));
  const { id } = uploaded;
  const total = uploaded.rowsTotal ?? 0;
  print(
    `${total} rows: ${uploaded.rowsOk} ok, ${uploaded.rowsWarning} with warnings, ${uploaded.rowsError} with errors.\n`,
  );
  if (uploaded.status === 'committed') {
    print('The same file was committed before; nothing was changed.\n');
    return;
  }
  if (uploaded.rowsError + uploaded.rowsWarning > 0) {
    print((await client.report(id)).issues.map(lineOf).join(''));
  }
  if (flags.check === true) return;
  const committed = await client.commit(id, flags.skipErrors === true, ({ rowsDone }: ImportState) => {
    print(`${rowsDone} of ${total} rows\n`);
  });
  const seconds = (performance.now() - began) / 1_000;
  print(`${committed.rowsDone} rows done in ${seconds.toFixed(1)} s (${Math.round(total / seconds)} rows/s).\n`);
}

async function contents(file: string, flags: ImportFlags): Promise<AsyncIterable<string | Uint8Array>> {
  const layout: Layout | undefined = flags.layout === undefined ? undefined : layouts[flags.layout];
  if (!layout) return contentOf(file);
  const kind = layoutKinds.find((one) => one === flags.kind);
  if (!kind) throw new Error(`The layout ${flags.layout ?? ''} has no ${flags.kind}.`);
  return inChunks(layout[kind](file, { warehouse: flags.warehouse ?? '', month: flags.month }));
}

function lineOf({ line, column, severity, code, detail }: ImportIssue): string {
  return `  line ${line}${column === null ? '' : `, ${column}`}: ${severity} ${code}: ${detail}\n`;
}

function monthOf(text: string): string {
  if (/^\d{4}-\d{2}$/.test(text)) return text;
  throw new InvalidArgumentError('A month such as 2010-12 is expected.');
}
